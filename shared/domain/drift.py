"""Drift: how answers that are kept differ, with age, from what their model would say now."""

from bisect import bisect_right
from enum import StrEnum

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400

AGES = (
    *(0, _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, _HOUR, 2 * _HOUR, 6 * _HOUR, 12 * _HOUR),
    *(_DAY, 3 * _DAY, 7 * _DAY, 30 * _DAY),
)
"""Where each class of ages begins, in seconds; the last one has no end."""


class Verdict(StrEnum):
    """How an audit ended: how two answers compare, or why they were not compared."""

    IDENTICAL = "identical"  # the results are equal
    SAME = "same"  # they are equal but for case, blanks, and what does not count, such as ids and scores
    EQUIVALENT = "equivalent"  # the judge says that they tell the client the same
    DIFFERENT = "different"  # what must be equal is not, or the judge says so
    UNKNOWN = "unknown"  # the texts differ, and no judge could say how much
    FAILED = "failed"  # there was no second answer
    OVER_CAP = "over_cap"  # the day's dollars had no room for the call
    UNPRICED = "unpriced"  # nobody knows what the call would cost
    PURGED = "purged"  # the first answer was purged meanwhile
    EXPIRED = "expired"  # it waited for too long


STILL_GOOD = (Verdict.IDENTICAL, Verdict.SAME, Verdict.EQUIVALENT)
COMPARED = (*STILL_GOOD, Verdict.DIFFERENT, Verdict.UNKNOWN)
NOT_COMPARED = tuple(each for each in Verdict if each not in COMPARED)


def age_class(seconds: float) -> int:
    """Return where the class of this age begins; an age below 0, which clocks can make, counts as 0."""
    return AGES[max(0, bisect_right(AGES, seconds) - 1)]


def end_of(begins: int) -> int | None:
    """Return where the class of ages ends that begins here; None for the last one."""
    return next((each for each in AGES if each > begins), None)
