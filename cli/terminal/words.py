"""Numbers and times as people read them."""

import math
from datetime import UTC, datetime

_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_THOUSAND = 1000

MINUTE, HOUR, DAY = 60, 3600, 86_400
SMALL = 10


def count(number: float | None) -> str:
    """Return a whole number with separators, `-` for one that is not known."""
    return "-" if number is None else f"{number:,.0f}"


def share(ratio: float) -> str:
    """Return a ratio from 0 to 1 as percent."""
    return f"{ratio * 100:.1f} %"


def size(number: float | None) -> str:
    """Return a number of bytes with its unit."""
    if number is None:
        return "-"
    for unit in _UNITS[:-1]:
        if number < _THOUSAND:
            return f"{number:,.0f} {unit}" if unit == _UNITS[0] else f"{number:,.1f} {unit}"
        number /= _THOUSAND
    return f"{number:,.1f} {_UNITS[-1]}"


def dollars(amount: float | None) -> str:
    """Return US dollars with as many digits as say something."""
    if amount is None:
        return "-"
    if amount == 0 or amount >= 1:
        return f"${amount:,.2f}"
    # Two digits that say something, and never 8.6e-06.
    return f"${amount:.{1 - math.floor(math.log10(amount))}f}"


def duration(seconds: float) -> str:
    """Return a time span in the unit that suits it."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 2 * MINUTE:
        return f"{seconds:.1f} s" if seconds < SMALL else f"{seconds:.0f} s"
    if seconds < 2 * HOUR:
        return f"{seconds / MINUTE:.0f} min"
    return f"{seconds / HOUR:.1f} h" if seconds < 2 * DAY else f"{seconds / DAY:.1f} days"


def between(start: str | None, end: str | None) -> float | None:
    """Return the seconds between two times of the API, None if one is not known."""
    if start is None or end is None:
        return None
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def age(moment: str) -> str:
    """Return how long ago a time of the API was."""
    return duration(max(0.0, (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()))


def clock(moment: str) -> str:
    """Return a time of the API as one of this machine's time zone."""
    return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M:%S")
