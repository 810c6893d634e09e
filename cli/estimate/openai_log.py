"""Logs of calls to OpenAI's API: bodies as they were sent, alone, in an envelope with the response, or as a batch.

A batch is what https://platform.openai.com/docs/api-reference/batch/request-input describes.
"""

from collections.abc import Mapping
from typing import Any

from cli.estimate.call import Call, Kind, answer_of, number, seconds_of, size_by, text, usage_in
from cli.estimate.litellm import as_object

FORMAT, BATCH = "openai", "openai batch"
BODIES = ("request", "request_body", "body", "payload")
RESPONSES = ("response", "response_body", "completion")
TIMES = ("timestamp", "start_time", "started_at", "created_at", "request_time", "time", "ts", "at", "date", "created")
SECONDS = ("duration", "duration_seconds", "latency", "latency_seconds", "elapsed", "response_time")
MILLISECONDS = ("duration_ms", "latency_ms", "elapsed_ms", "response_time_ms")
WORDS: Mapping[str, Kind] = {"embeddings": "embeddings", "responses": "response", "predict": "task"}
REFUSED = 400
Json = Mapping[str, Any]


def call_of(record: Json) -> Call | None:
    """Return the call in a record; None if there is neither a body nor a response in it."""
    sent = _named(record, BODIES)
    inner = as_object(sent.get("body"))
    url = text(record.get("url")) or text(sent.get("url")) or text(record.get("endpoint"))
    body = inner or sent or (record if _is_body(record) else {})
    received = _named(record, RESPONSES)
    status = received.get("status_code", record.get("status_code", record.get("status")))
    received = as_object(received.get("body")) or received
    if not _is_body(body) and not received:
        return None
    usage = usage_in(as_object(received.get("usage")) or as_object(record.get("usage")))
    answer_bytes, keeps = answer_of(received, usage) if received else (size_by(usage), True)
    return Call(
        BATCH if "custom_id" in record else FORMAT,
        body if _is_body(body) else None,
        _kind(body, url),
        None,
        text(received.get("model")) or text(body.get("model")),
        text(record.get("provider")),
        next(filter(None, (seconds_of(record.get(name)) for name in TIMES)), None),
        _took(record),
        usage,
        answer_bytes=answer_bytes,
        failed=bool(record.get("error")) or (isinstance(status, int) and status >= REFUSED),
        keeps=keeps,
    )


def _named(record: Json, names: tuple[str, ...]) -> Json:
    return next(filter(None, (as_object(record.get(name)) for name in names)), {})


def _is_body(document: Json) -> bool:
    return "messages" in document or "input" in document


def _kind(body: Json, url: str) -> Kind:
    if "task_type" in body:
        return "task"
    if "messages" in body:
        return "chat"
    # Without an address: who embeds says how, and the model is named so.
    embeds = "encoding_format" in body or "dimensions" in body or "embed" in text(body.get("model"))
    return next((kind for word, kind in WORDS.items() if word in url), "embeddings" if embeds else "response")


def _took(record: Json) -> float | None:
    seconds = next(filter(None, (number(record.get(name)) for name in SECONDS)), None)
    milliseconds = next(filter(None, (number(record.get(name)) for name in MILLISECONDS)), None)
    if seconds is not None or milliseconds is not None:
        return seconds if seconds is not None else (milliseconds or 0.0) / 1000
    began, ended = seconds_of(record.get("start_time")), seconds_of(record.get("end_time"))
    return None if began is None or ended is None else max(0.0, ended - began)
