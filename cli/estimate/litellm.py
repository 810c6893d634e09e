"""LiteLLM's spend log: the rows of its table `LiteLLM_SpendLogs`, as JSON.

https://github.com/BerriAI/litellm/blob/main/schema.prisma
"""

import json
from collections.abc import Mapping
from typing import Any

from cli.estimate.call import Call, Kind, answer_of, count, number, seconds_of, size_by, text
from shared.domain.answer import Usage

FORMAT = "litellm"
NO_CACHE_KEY = frozenset({"", "Cache OFF"})
Json = Mapping[str, Any]


def is_row(record: Json) -> bool:
    """Return whether a record is a row of the table."""
    return "startTime" in record and ("call_type" in record or "spend" in record)


def call_of(record: Json) -> Call:
    """Return the call in a row. Bodies are there if `store_prompts_in_spend_logs` was on, in `proxy_server_request`."""
    began, ended = seconds_of(record.get("startTime")), seconds_of(record.get("endTime"))
    took = number(record.get("request_duration_ms"))
    took = took / 1000 if took is not None else None if began is None or ended is None else max(0.0, ended - began)
    prompt, completion = count(record.get("prompt_tokens")), count(record.get("completion_tokens"))
    usage = Usage(prompt, completion, None, _cached(record, prompt))
    body, kind = _body(record)
    response = as_object(record.get("response"))
    answer_bytes, keeps = answer_of(response, usage) if response else (size_by(usage), True)
    key = text(record.get("cache_key"))
    return Call(
        FORMAT,
        body,
        kind,
        None if key in NO_CACHE_KEY else key,
        text(record.get("model")),
        text(record.get("custom_llm_provider")),
        began,
        took,
        usage,
        number(record.get("spend")),
        answer_bytes,
        failed=record.get("status") == "failure",
        free=text(record.get("cache_hit")).lower() == "true" or record.get("cache_hit") is True,
        keeps=keeps,
    )


def as_object(value: object) -> Json:
    """Return an object, which may be there as JSON text; an empty one for all else."""
    if isinstance(value, str) and value.startswith("{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _body(record: Json) -> tuple[Json | None, Kind]:
    call_type = text(record.get("call_type"))
    kind: Kind = "embeddings" if "embedding" in call_type else "response" if "responses" in call_type else "chat"
    body = as_object(record.get("proxy_server_request"))
    if body:
        return body, "chat" if "messages" in body else kind
    messages = record.get("messages")
    if isinstance(messages, list) and messages:
        return {"model": text(record.get("model_group")) or text(record.get("model")), "messages": messages}, "chat"
    return None, kind


def _cached(record: Json, prompt: int | None) -> int | None:
    metadata = record.get("metadata")
    values = metadata.get("additional_usage_values") if isinstance(metadata, dict) else None
    details = values.get("prompt_tokens_details") if isinstance(values, dict) else None
    cached = count(details.get("cached_tokens")) if isinstance(details, dict) else None
    return None if cached is None or prompt is None else min(cached, prompt)
