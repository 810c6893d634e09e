"""What a look at something has found."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How something is."""

    WELL = "ok"
    ODD = "warning"
    WRONG = "wrong"
    UNKNOWN = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, what was seen, and what to do about it; no advice where nothing is to be done."""

    what: str
    state: State
    seen: str
    advice: str = ""


MOST_SECONDS_APART = 2.0
"""More than a clock that is read over a network, and told in whole seconds, may be off."""


def clock_finding(what: str, seconds_ahead: float) -> Finding:
    """Return how far another clock is from this machine's."""
    apart = f"{abs(seconds_ahead):.1f} s {'ahead of' if seconds_ahead > 0 else 'behind'} this machine's"
    if abs(seconds_ahead) <= MOST_SECONDS_APART:
        return Finding(what, State.WELL, apart)
    advice = "Set both clocks by NTP: TTLs, leases of jobs and keys' ends are compared with these clocks."
    return Finding(what, State.ODD, apart, advice)
