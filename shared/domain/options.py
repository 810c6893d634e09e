"""The kinds of options that a task can have. Each kind checks values, and describes itself as JSON Schema."""

from dataclasses import dataclass
from typing import Any, Protocol

from shared.domain.inputs import LONGEST_COMPOSITION, TEXT_PATTERN, WrongValue, clean_text

HISTORY_ROLES = ("user", "assistant")
HISTORY_MAX_MESSAGES = 500


class Kind(Protocol):
    """The values that an option accepts."""

    def check(self, value: object, max_chars: int) -> object:
        """Return the canonical form of `value`; raise WrongValue. `max_chars`: the limit for free text."""

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema (2020-12) of the accepted values."""


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number. 5.0 counts as 5, as in JSON Schema."""

    minimum: int
    maximum: int

    def check(self, value: object, max_chars: int) -> int:  # noqa: ARG002  the protocol's shape
        """Return an int from `minimum` to `maximum`; raise WrongValue."""
        whole = isinstance(value, (int, float)) and not isinstance(value, bool) and value % 1 == 0
        if not whole or not self.minimum <= value <= self.maximum:  # type: ignore[operator]  # whole implies a number
            message = f"must be a whole number from {self.minimum} to {self.maximum}"
            raise WrongValue(message)
        return int(value)  # type: ignore[call-overload,no-any-return]  # whole implies a number

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the range."""
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number. 1 becomes 1.0 and -0.0 becomes 0.0, so that equal numbers make equal cache keys."""

    minimum: float
    maximum: float

    def check(self, value: object, max_chars: int) -> float:  # noqa: ARG002  the protocol's shape
        """Return a float from `minimum` to `maximum`; raise WrongValue."""
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not self.minimum <= value <= self.maximum:
            message = f"must be a number from {self.minimum:g} to {self.maximum:g}"
            raise WrongValue(message)
        return float(value) + 0.0

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the range."""
        return {"type": "number", "minimum": self.minimum, "maximum": self.maximum}


@dataclass(frozen=True, slots=True)
class Text:
    """Free text of at most `max_chars` characters; None means the setting MAX_INPUT_CHARS."""

    max_chars: int | None = None

    def check(self, value: object, max_chars: int) -> str:
        """Return the text in NFC; raise WrongValue."""
        return clean_text(value, max_chars if self.max_chars is None else self.max_chars)

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the length."""
        schema: dict[str, Any] = {"type": "string", "pattern": TEXT_PATTERN}
        return schema if self.max_chars is None else {**schema, "maxLength": self.max_chars}


@dataclass(frozen=True, slots=True)
class History:
    """The turns of a conversation before this input, oldest first."""

    def check(self, value: object, max_chars: int) -> list[dict[str, str]] | None:
        """Return the messages, each with `role` and `content` only; None for an empty list.

        Raises WrongValue, also if the contents have more than `max_chars` characters in all.
        """
        if not isinstance(value, list) or len(value) > HISTORY_MAX_MESSAGES:
            message = f"must be a list of at most {HISTORY_MAX_MESSAGES} messages"
            raise WrongValue(message)
        too_long = WrongValue(f"must have at most {max_chars} characters in all")
        if sum(map(_content_chars, value)) > max_chars * LONGEST_COMPOSITION:
            raise too_long
        messages = [_message(item, index, max_chars) for index, item in enumerate(value)]
        if sum(len(message["content"]) for message in messages) > max_chars:
            raise too_long
        return messages or None

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the list."""
        content = {"type": "string", "pattern": TEXT_PATTERN}
        return {
            "type": "array",
            "maxItems": HISTORY_MAX_MESSAGES,
            "items": {
                "type": "object",
                "properties": {"role": {"type": "string", "enum": list(HISTORY_ROLES)}, "content": content},
                "required": ["role", "content"],
                "additionalProperties": False,
            },
        }


def _content_chars(item: object) -> int:
    content = item.get("content") if isinstance(item, dict) else None
    return len(content) if isinstance(content, str) else 0


def _message(item: object, index: int, max_chars: int) -> dict[str, str]:
    if not isinstance(item, dict) or set(item) != {"role", "content"}:
        message = "must be an object with exactly role and content"
        raise WrongValue(message, f"/{index}")
    if item["role"] not in HISTORY_ROLES:
        message = f"must be one of {', '.join(HISTORY_ROLES)}"
        raise WrongValue(message, f"/{index}/role")
    try:
        return {"role": item["role"], "content": clean_text(item["content"], max_chars)}
    except WrongValue as err:
        raise WrongValue(err.detail, f"/{index}/content") from err


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a task. An optional option that is not given has the value `default`, which may be None."""

    name: str
    kind: Kind
    about: str
    default: Any = None
    required: bool = False

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the values, with the option's meaning and default."""
        schema = {**self.kind.json_schema(), "description": self.about}
        return schema if self.default is None else {**schema, "default": self.default}
