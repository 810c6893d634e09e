"""Times: aware, in UTC, and RFC 3339 on the wire."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return the time of this machine's clock."""
    return datetime.now(UTC)


def rfc3339(moment: datetime | None) -> str | None:
    """Write a time as RFC 3339 in UTC with microseconds and `Z`; None stays None."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
