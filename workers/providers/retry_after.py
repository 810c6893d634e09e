"""How long a server asks us to wait, in the spellings that servers use."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_SECONDS = 24 * 3600.0
"""Longer waits are cut to a day: a job has a deadline of its own."""

_SECONDS = re.compile(r"[0-9]{1,300}(?:\.[0-9]{1,300})?", re.ASCII)
_RATE_LIMIT_RESET = re.compile(r";\s*t=([0-9]{1,300})(?=\s*(?:;|,|$))", re.ASCII)


def seconds_to_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return what `Retry-After` or, without it, `RateLimit: ...;t=` says, from 0 to a day; None for neither.

    `headers` finds names in any case. Seconds may be fractional, a date lies at or after `now` or counts as 0.
    https://www.rfc-editor.org/rfc/rfc9110#field.retry-after and Hugging Face's form of the IETF RateLimit draft.
    """
    retry_after = parse_retry_after(headers.get("Retry-After", ""), now)
    if retry_after is not None:
        return retry_after
    reset = _RATE_LIMIT_RESET.search(headers.get("RateLimit", ""))
    return bounded(float(reset.group(1))) if reset else None


def parse_retry_after(value: str, now: datetime) -> float | None:
    """Return the seconds that a `Retry-After` of seconds or an HTTP date means; None where it is neither."""
    text = value.strip()
    if _SECONDS.fullmatch(text):
        return bounded(float(text))
    try:
        date = parsedate_to_datetime(text)
        # A date with the zone -0000 comes out naive; it is in UTC.
        aware = date if date.tzinfo else date.replace(tzinfo=UTC)
        return bounded((aware - now).total_seconds())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def bounded(seconds: float) -> float:
    """Return the seconds, at least 0 and at most a day."""
    return min(max(seconds, 0.0), MAX_SECONDS)
