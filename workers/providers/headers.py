"""Reads the headers in which a provider says how long to wait, and how much of its rate limit is left."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_DURATION = re.compile(
    r"(?:(?P<h>[0-9]{1,6})h)?(?:(?P<m>[0-9]{1,6})m)?(?:(?P<s>[0-9]{1,9}(?:\.[0-9]{1,9})?)s)?(?:(?P<ms>[0-9]{1,9}(?:\.[0-9]{1,9})?)ms)?",
    re.ASCII,
)

_IN_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}

_EXHAUSTED = re.compile(r";\s*r=0(?=\s*(?:;|$))", re.ASCII)

_RESET = re.compile(r";\s*t=([0-9]{1,9})(?=\s*(?:;|$))", re.ASCII)


MAX_SECONDS = 24 * 3600.0
"""Longer waits are shortened to a day."""

_SECONDS = re.compile(r"[0-9]{1,300}(?:\.[0-9]{1,300})?", re.ASCII)
_RATE_LIMIT_RESET = re.compile(r";\s*t=([0-9]{1,300})(?=\s*(?:;|,|$))", re.ASCII)


def seconds_to_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds to wait, from 0 to a day: by `Retry-After`, else by `RateLimit: ...;t=`; None without both.

    `headers`: must find names in any case. `Retry-After` may have fractional seconds; a date before `now` counts as 0.
    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after and Hugging Face's form of the IETF RateLimit draft.
    """
    retry_after = parse_retry_after(headers.get("Retry-After", ""), now)
    if retry_after is not None:
        return retry_after
    reset = _RATE_LIMIT_RESET.search(headers.get("RateLimit", ""))
    return clamp_wait(float(reset.group(1))) if reset else None


def parse_retry_after(value: str, now: datetime) -> float | None:
    """Return the seconds that a `Retry-After` means, given as seconds or as an HTTP date; None for anything else."""
    text = value.strip()
    if _SECONDS.fullmatch(text):
        return clamp_wait(float(text))
    try:
        date = parsedate_to_datetime(text)
        # The parser returns a date with the zone -0000 without a zone; it is in UTC.
        aware = date if date.tzinfo else date.replace(tzinfo=UTC)
        return clamp_wait((aware - now).total_seconds())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def clamp_wait(seconds: float) -> float:
    """Return the seconds, limited to between 0 and a day."""
    return min(max(seconds, 0.0), MAX_SECONDS)


def pause_seconds(headers: Mapping[str, str]) -> float | None:
    """Return for how many seconds the provider accepts no calls, at most a day; None if its limit is not used up.

    It reads Groq's `x-ratelimit-remaining-*` and `x-ratelimit-reset-*` (https://console.groq.com/docs/rate-limits), and
    Hugging Face's form of the IETF RateLimit draft. `headers`: must find names in any case.
    """
    waits = [*_by_remaining(headers), *_by_policy(headers.get("RateLimit", ""))]
    return clamp_wait(max(waits)) if waits else None


def _by_remaining(headers: Mapping[str, str]) -> list[float]:
    spent = [kind for kind in ("requests", "tokens") if headers.get(f"x-ratelimit-remaining-{kind}", "").strip() == "0"]
    resets = (_duration(headers.get(f"x-ratelimit-reset-{kind}", "")) for kind in spent)
    return [seconds for seconds in resets if seconds]


def _by_policy(value: str) -> list[float]:
    resets = (_RESET.search(policy) for policy in value.split(",") if _EXHAUSTED.search(policy))
    return [float(reset.group(1)) for reset in resets if reset]


def _duration(text: str) -> float:
    """Return the seconds of a duration in Go's format, such as `2m59.56s`; 0 for anything else."""
    found = _DURATION.fullmatch(text.strip())
    parts = found.groupdict() if found else {}
    return sum(float(number) * _IN_SECONDS[unit] for unit, number in parts.items() if number)
