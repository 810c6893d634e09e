"""Chat completions in the shape of OpenAI's API, which all our providers use. Nothing in an answer is trusted.

https://platform.openai.com/docs/api-reference/chat
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from shared.domain.answer import Usage
from shared.domain.reading import ChatReply, UnusableAnswer, storable
from shared.domain.task_type import Shape
from shared.jobs.errors import BadAnswer
from workers.providers.errors import error_fields

_REASONING = re.compile(r"\A\s*<think>.*?(?:</think>|\Z)", re.DOTALL)


def json_schema_format(shape: Shape) -> dict[str, Any]:
    """Return the `response_format` that asks for JSON of this shape."""
    schema = {"name": shape.name, "strict": True, "schema": shape.json_schema()}
    return {"type": "json_schema", "json_schema": schema}


def parse_body(content: bytes) -> object:
    """Return the parsed JSON; raise BadAnswer if it is not JSON."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as err:
        message = "The provider's answer is not JSON."
        raise BadAnswer(message) from err


def parse_reply(body: object) -> ChatReply:
    """Return the first choice of a chat completion; raise BadAnswer for any other body, such as an error."""
    match body:
        case {"choices": [{"finish_reason": str(reason), "message": {"content": str() | None as content}}, *_], **rest}:
            try:
                text = storable(_REASONING.sub("", content or "", count=1).strip())
            except UnusableAnswer as err:
                raise BadAnswer(str(err)) from err
            counts = rest.get("usage")
            return ChatReply(text, reason, read_usage(counts), _reasoning_tokens(counts))
    _, said = error_fields(body)
    message = "The provider answered with an error in place of a completion." if said else "Not a chat completion."
    raise BadAnswer(message)


def read_usage(usage: object) -> Usage:
    """Return the counts of a completion's `usage`, None for each that it does not have or that can't be right."""
    counts: Mapping[str, Any] = usage if isinstance(usage, dict) else {}
    prompt_tokens = _count(counts.get("prompt_tokens"))
    return Usage(
        prompt_tokens=prompt_tokens,
        completion_tokens=_completion_tokens(counts, prompt_tokens),
        total_tokens=_count(counts.get("total_tokens")),
        cached_tokens=_cached_tokens(counts, prompt_tokens),
    )


def _completion_tokens(counts: Mapping[str, Any], prompt_tokens: int | None) -> int | None:
    """Return the completion's tokens with those of its reasoning, as all are paid for.

    They are among `completion_tokens`, except at xAI, where only the total has them too:
    https://docs.x.ai/docs/key-information/consumption-and-rate-limits
    """
    said, total = _count(counts.get("completion_tokens")), _count(counts.get("total_tokens"))
    if said is None or prompt_tokens is None or total is None:
        return said
    reasoning = _reasoning_tokens(counts)
    return said + reasoning if total == prompt_tokens + said + reasoning else said


def _cached_tokens(counts: Mapping[str, Any], prompt_tokens: int | None) -> int | None:
    match counts:
        case {"prompt_tokens_details": {"cached_tokens": value}}:
            cached = _count(value)
            # A count above the whole prompt's is wrong, and would make the call too cheap.
            possible = cached is not None and prompt_tokens is not None and cached <= prompt_tokens
            return cached if possible else None
    return None


def _reasoning_tokens(usage: object) -> int:
    match usage:
        case {"completion_tokens_details": {"reasoning_tokens": count}}:
            return _count(count) or 0
    return 0


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None
