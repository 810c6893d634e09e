"""Helpers with which task types check and read the answer of a model. Nothing in an answer is trusted."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.answer import Usage

_PLAIN_WORD = re.compile(r"[a-z_]{1,40}")


class UnusableAnswer(Exception):
    """The answer of a model is not what it was asked for; the message says why."""


@dataclass(frozen=True, slots=True)
class ChatReply:
    """A reply of a chat model.

    `text`: without reasoning and surrounding blanks; may be empty. `finish_reason`: why the model stopped.
    """

    text: str
    finish_reason: str
    usage: Usage
    reasoning_tokens: int = 0

    @property
    def visible_tokens(self) -> int:
        """How many tokens of the reply are not hidden reasoning; 0 if the provider did not count them."""
        return max(0, (self.usage.completion_tokens or 0) - self.reasoning_tokens)

    @property
    def whole(self) -> str:
        """The text of a complete reply; raises UnusableAnswer if the reply is truncated or empty."""
        if self.finish_reason != "stop":
            reason = self.finish_reason if _PLAIN_WORD.fullmatch(self.finish_reason) else "unknown reason"
            message = f"The model stopped early: {reason}."
            raise UnusableAnswer(message)
        if not self.text:
            message = "The model's answer is empty."
            raise UnusableAnswer(message)
        return self.text

    def json_object(self) -> dict[str, Any]:
        """Return the JSON object of a complete reply; raise UnusableAnswer for anything else."""
        try:
            answer = json.loads(self.whole)
        except (ValueError, RecursionError) as err:
            message = "The model's answer is not the JSON it was asked for."
            raise UnusableAnswer(message) from err
        if not isinstance(answer, dict):
            message = "The model's answer is not the JSON object it was asked for."
            raise UnusableAnswer(message)
        return answer


@dataclass(frozen=True, slots=True)
class Reading:
    """The result of an answer. `cacheable` is False for a reply that was truncated because the client asked for it."""

    result: Mapping[str, Any]
    cacheable: bool = True


def filled(answer: Mapping[str, Any], name: str, max_chars: int | None = None) -> str:
    """Return the text of this name without surrounding blanks.

    Raises UnusableAnswer if it is missing or empty, or has more than `max_chars` characters.
    """
    value = answer.get(name)
    if not isinstance(value, str) or not value.strip():
        message = f"The model's answer has no {name}."
        raise UnusableAnswer(message)
    if max_chars is not None and len(value.strip()) > max_chars:
        message = f"The {name} of the model's answer has more than {max_chars} characters."
        raise UnusableAnswer(message)
    return storable(value.strip())


def score(value: object) -> float:
    """Return the value as a probability; raise UnusableAnswer unless it is a number from 0 to 1."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= 1:
        message = "The score is not a number from 0 to 1."
        raise UnusableAnswer(message)
    return float(value)


def storable(text: str) -> str:
    """Return the text; raise UnusableAnswer for NUL or a lone surrogate, which PostgreSQL's JSONB can't store."""
    try:
        text.encode()
    except UnicodeEncodeError as err:
        message = "The answer holds a lone surrogate."
        raise UnusableAnswer(message) from err
    if "\x00" in text:
        message = "The answer holds NUL."
        raise UnusableAnswer(message)
    return text
