"""Periods of statistics: whole hours or whole days, in UTC."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

Bucket = Literal["hour", "day"]

BUCKETS: dict[Bucket, timedelta] = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
LONGEST: dict[Bucket, timedelta] = {"hour": timedelta(days=32), "day": timedelta(days=366)}
"""Limits: a month by the hour, a leap year by the day."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Period:
    """From `start` to `end`, which is not included; both are bounds of buckets."""

    start: datetime
    end: datetime
    bucket: Bucket


def last_days(days: int, bucket: Bucket, now: datetime) -> Period:
    """Return the last `days` UTC days, including the day of `now`.

    Raises ValueError, with what it must be instead, if the period is too long for its buckets.
    """
    end = _floor(now, BUCKETS["day"]) + BUCKETS["day"]
    return _checked(Period(end - timedelta(days=days), end, bucket))


def between(start: datetime | None, end: datetime | None, bucket: Bucket, now: datetime, days: int) -> Period:
    """Return the buckets from `start` (default: `days` before the end) to `end` (default: now).

    Raises ValueError, with what it must be instead, if the end is before the start or the period is too long for its
    buckets.
    """
    size = BUCKETS[bucket]
    last = _floor(now, size) + size if end is None else _ceiling(end, size)
    first = max(last - timedelta(days=days), EPOCH) if start is None else _floor(start, size)
    if first >= last or (start is not None and end is not None and start >= end):
        message = "must be before `to`"
        raise ValueError(message)
    return _checked(Period(first, last, bucket))


def _checked(period: Period) -> Period:
    longest = LONGEST[period.bucket]
    if period.end - period.start > longest:
        shorter = "a shorter time or `bucket=day`" if period.bucket == "hour" else "a shorter time"
        message = f"must cover at most {longest.days} days with `bucket={period.bucket}`: ask for {shorter}"
        raise ValueError(message)
    return period


def _floor(moment: datetime, size: timedelta) -> datetime:
    return EPOCH + (moment - EPOCH) // size * size


def _ceiling(moment: datetime, size: timedelta) -> datetime:
    """Return the end of the bucket of `moment`; a bucket's start is its own."""
    return EPOCH - (EPOCH - moment) // size * size
