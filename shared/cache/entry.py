"""The value that a tier stores for a key: an answer as versioned JSON, never pickle."""

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from shared.domain.answer import Answer, Usage
from shared.domain.routes import Route
from shared.times import rfc3339

ENTRY_VERSION = 1
MAX_COUNT = 2**31 - 1
"""What fits into a record's columns. One record that did not would keep all of its batch from being written."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer, and the time (seconds since the epoch) until which its tier may serve it as fresh.

    `by_fallback`: the answer comes from another model than the one that the key names.
    """

    answer: Answer
    expires_at: float
    by_fallback: bool = False
    completed_at: float = field(init=False, compare=False)
    """When the answer was made, in seconds since the epoch."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "completed_at", self.answer.completed_at.timestamp())


def encode(key: str, entry: Entry) -> bytes:
    """Return the entry as JSON. It includes the key, so that it can't be read under another key.

    A character that UTF-8 can't encode becomes a question mark.
    """
    answer = entry.answer
    usage = answer.usage.counts()
    return json.dumps(
        {
            "version": ENTRY_VERSION,
            "key": key,
            "expires_at": entry.expires_at,
            "by_fallback": entry.by_fallback,
            "job_id": str(answer.job_id),
            "task_type": answer.task_type,
            "provider": answer.provider,
            "model": answer.model,
            "result": answer.result,
            # Not inside `usage`: older versions can't read an unknown count there.
            "cached_tokens": usage.pop("cached_tokens"),
            "usage": usage,
            "attempts": answer.attempts,
            "created_at": rfc3339(answer.created_at),
            "started_at": rfc3339(answer.started_at),
            "completed_at": rfc3339(answer.completed_at),
        },
        separators=(",", ":"),
        ensure_ascii=False,
    ).encode(errors="replace")


def with_expiry(value: bytes, key: str, entry: Entry, until: float) -> bytes:
    """Return `encode` of an entry that expires at another time. A tenth of the work if `value` holds the same entry."""
    head = f'{{"version":{ENTRY_VERSION},"key":"{key}","expires_at":'.encode()
    if not value.startswith(head):
        return encode(key, replace(entry, expires_at=until))
    return b"%b%b%b" % (head, repr(until).encode(), value[value.index(b",", len(head)) :])


def decode(key: str, value: bytes) -> Entry | None:
    """Return the entry; None if it is unreadable, of another version or of another key, or can't be served."""
    try:
        fields = _DECODER.decode(value.decode())
        if fields["version"] != ENTRY_VERSION or fields["key"] != key or not isinstance(fields["result"], dict):
            return None
        answer = Answer(
            job_id=UUID(fields["job_id"]),
            task_type=str(fields["task_type"]),
            provider=str(fields["provider"]),
            model=str(fields["model"]),
            result=fields["result"],
            usage=_usage(fields),
            attempts=int(fields["attempts"]),
            created_at=_time(fields["created_at"]),
            started_at=_time(fields["started_at"]),
            completed_at=_time(fields["completed_at"]),
        )
        entry = Entry(answer, float(fields["expires_at"]), bool(fields["by_fallback"]))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    return entry if _is_sane(entry) else None


def _no_constant(name: str) -> float:
    message = f"{name} is not JSON"
    raise ValueError(message)


# json.loads would make a decoder each time.
_DECODER = json.JSONDecoder(parse_constant=_no_constant)


def _usage(fields: Mapping[str, Any]) -> Usage:
    counts = {**fields["usage"], "cached_tokens": fields.get("cached_tokens")}
    if not all(count is None or (type(count) is int and 0 <= count <= MAX_COUNT) for count in counts.values()):
        message = "a count that is none"
        raise ValueError(message)
    return Usage(**counts)


def _is_sane(entry: Entry) -> bool:
    ran = (entry.answer.completed_at - entry.answer.started_at) // timedelta(milliseconds=1)
    return math.isfinite(entry.expires_at) and 0 <= ran <= MAX_COUNT


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        message = "a time without its zone"
        raise ValueError(message)
    # As it is shown later: the first and last days of the calendar have no time in UTC, which is an OverflowError.
    return moment.astimezone(UTC)


class Wanted(NamedTuple):
    """Which fresh answers a request accepts.

    `max_age`: in seconds; None for any. `fallbacks`: who may have answered in place of the model that the key names;
    None for anybody.
    """

    max_age: float | None
    fallbacks: Collection[Route] | None

    def takes(self, entry: Entry, age: float) -> bool:
        """Return whether the request accepts this entry, `age` seconds old."""
        if self.max_age is not None and age > self.max_age:
            return False
        if not entry.by_fallback or self.fallbacks is None:
            return True
        return Route(entry.answer.provider, entry.answer.model) in self.fallbacks


ANY = Wanted(max_age=None, fallbacks=None)
"""Every fresh answer."""
