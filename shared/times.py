"""Times in UTC, their RFC 3339 form, and ids that are ordered by time.

Ids are UUIDv7 (RFC 9562, section 5.7): their first 48 bits are milliseconds since the epoch.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import uuid_utils
from uuid_utils.compat import uuid7

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_VERSION_AND_VARIANT = (7 << 76) | (2 << 62)

_TIME_SHIFT = 80


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def rfc3339(moment: datetime | None) -> str | None:
    """Return a time as RFC 3339 in UTC with microseconds and `Z`; None stays None."""
    # Half the time of `strftime`, which every response takes three times.
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def new_id() -> UUID:
    """Return an id of the current time, greater than all ids that this process made before."""
    return uuid7()


def new_id_text() -> str:
    """Return an id as `new_id`, as text: it takes a fifth of the time."""
    return str(uuid_utils.uuid7())


def first_id_at(moment: datetime) -> UUID:
    """Return the smallest possible id of a millisecond; smaller ids are older. Times before 1970 count as 1970."""
    milliseconds = max(0, (moment - EPOCH) // timedelta(milliseconds=1))
    return UUID(int=(milliseconds << _TIME_SHIFT) | _VERSION_AND_VARIANT)


def moment_of(id_: UUID) -> datetime:
    """Return the time in an id, to the millisecond."""
    return EPOCH + timedelta(milliseconds=id_.int >> _TIME_SHIFT)
