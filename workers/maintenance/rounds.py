"""Working off several backlogs side by side, for a bounded time."""

import logging
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shared.errors import Unavailable

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Round:
    """What a round came to: rows by sweep, for those that found any; whether anything was left for the next one."""

    rows: Mapping[str, int]
    unfinished: bool


def work_off(sweeps: Mapping[str, Iterator[int]], seconds: float) -> Round:
    """Take a step of each sweep in turn until all are done or the time is over; each gets one step at least.

    A sweep that fails is left to the next round, and keeps no other from its turn.
    """
    until = time.monotonic() + seconds
    rows: Counter[str] = Counter()
    going = dict(sweeps)
    while going:
        steps = {name: _step(name, sweep) for name, sweep in going.items()}
        rows.update({name: step for name, step in steps.items() if step})
        going = {name: sweep for name, sweep in going.items() if steps[name] is not None}
        if time.monotonic() >= until:
            break
    return Round(rows, bool(going))


def _step(name: str, sweep: Iterator[int]) -> int | None:
    """Return how many rows the next step took; None when it was the last one, or failed."""
    try:
        return next(sweep, None)
    except Unavailable as err:
        logger.warning("Sweep left to the next round", extra={"sweep": name, "reason": type(err).__name__})
    except Exception:  # the edge of a sweep: what is wrong with one must not stop the others
        logger.exception("Sweep failed", extra={"sweep": name})
    return None
