"""Reading a chat completion in the shape of OpenAI's API, which both vendors send; nothing in it is taken on trust."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.answer import Usage
from shared.jobs.errors import BadAnswer
from workers.providers.errors import error_fields

_REASONING = re.compile(r"\A\s*<think>.*?(?:</think>|\Z)", re.DOTALL)
_PLAIN_WORD = re.compile(r"[a-z_]{1,40}")


@dataclass(frozen=True, slots=True)
class ChatReply:
    """What the model said: `text` without reasoning and surrounding blanks, perhaps empty, and why it stopped."""

    text: str
    finish_reason: str
    usage: Usage
    reasoning_tokens: int = 0

    @property
    def visible_tokens(self) -> int:
        """How many tokens of the reply are not hidden reasoning; 0 where the provider did not count."""
        return max(0, (self.usage.completion_tokens or 0) - self.reasoning_tokens)

    @property
    def whole(self) -> str:
        """The text of a finished reply; raises BadAnswer for a cut or empty one."""
        if self.finish_reason != "stop":
            reason = self.finish_reason if _PLAIN_WORD.fullmatch(self.finish_reason) else "unknown reason"
            message = f"The model stopped early: {reason}."
            raise BadAnswer(message)
        if not self.text:
            message = "The model's answer is empty."
            raise BadAnswer(message)
        return self.text


def parse_body(content: bytes) -> object:
    """Return the parsed JSON; raise BadAnswer for anything else."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as err:
        message = "The provider's answer is not JSON."
        raise BadAnswer(message) from err


def parse_reply(body: object) -> ChatReply:
    """Return the first choice of a chat completion; raise BadAnswer for any other shape, an error in it included."""
    match body:
        case {"choices": [{"finish_reason": str(reason), "message": {"content": str() | None as content}}, *_], **rest}:
            text = storable(_REASONING.sub("", content or "", count=1).strip())
            counts = rest.get("usage")
            return ChatReply(text, reason, _usage(counts), _reasoning_tokens(counts))
    _, said = error_fields(body)
    message = "The provider answered with an error in place of a completion." if said else "Not a chat completion."
    raise BadAnswer(message)


def storable(text: str) -> str:
    """Return the text; raise BadAnswer where PostgreSQL's JSONB could not hold it: NUL or a lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError as err:
        message = "The answer holds a lone surrogate."
        raise BadAnswer(message) from err
    if "\x00" in text:
        message = "The answer holds NUL."
        raise BadAnswer(message)
    return text


def _usage(usage: object) -> Usage:
    counts: Mapping[str, Any] = usage if isinstance(usage, dict) else {}
    prompt_tokens = _count(counts.get("prompt_tokens"))
    return Usage(
        prompt_tokens=prompt_tokens,
        completion_tokens=_count(counts.get("completion_tokens")),
        total_tokens=_count(counts.get("total_tokens")),
        cached_tokens=_cached_tokens(counts, prompt_tokens),
    )


def _cached_tokens(counts: Mapping[str, Any], prompt_tokens: int | None) -> int | None:
    match counts:
        case {"prompt_tokens_details": {"cached_tokens": value}}:
            cached = _count(value)
            # More than the whole prompt can't be: taken at its word, the call would cost too little.
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
