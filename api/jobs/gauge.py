"""How much of something waits, counted now and then, and a limit of it that many threads keep together."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from shared.errors import QueueFull, StatementOverdue

KEPT_SECONDS = 1.0
"""How long a count is used, together with what this process has accepted since."""

NEARLY_FULL = 0.8
NEARLY_FULL_SECONDS = 0.1
"""How long it is used once so much of the limit is reached: then what other processes have accepted since matters."""

CHEAP_SECONDS = 0.005
DEAR_SHARE = 0.1
"""Counting takes at most this share of the time. While it is cheap, a full queue is counted for each new caller."""

SETTLING_SECONDS = 2.0
"""A little more than a transaction may take."""

ROOMY_SECONDS = 60.0
"""A queue that has refused nobody for this long is said to have room again."""

SHOWN_SECONDS = 60.0
"""A count that is older is not shown any more."""

FULL_FOR_TENANT = "The queue is nearly full, and what is left is kept for those who have little in it. Try again later."

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Count:
    """The number found, when counting began (monotonic seconds), and how many seconds it took."""

    value: int
    began_at: float
    seconds: float


class Gauge:
    """How much of one kind waits: the last count, plus what this process has added since that count began.

    It may be too high for moments. It is too low only by what other processes have added since the count.
    """

    def __init__(self, name: str, limit: int, count: Callable[[], Count], refusal: str) -> None:
        """`refusal`: the sentence for a refused caller, with {} for the limit."""
        self.name = name
        self.refused_total = 0
        self.limit = limit
        self._count = count
        self._refusal = refusal.format(f"{limit:,}")
        self._lock = threading.Condition()
        self._counting = threading.Lock()
        self._last: Count | None = None
        self._added = 0
        self._added_while_counting = 0
        self._pending = 0
        self._takes = self._settles = 0
        self._was_full, self._refused_at = False, 0.0

    @property
    def waiting(self) -> int | None:
        """How much waits; None when that was not counted lately, because nobody asked for room."""
        with self._lock:
            if self._last is None or time.monotonic() - self._last.began_at > SHOWN_SECONDS:
                return None
            return self._last.value + self._added

    def take(self, amount: int, kept: int = 0) -> None:
        """Reserve room until `settle`; raise QueueFull when there is none. `kept`: how much is kept for others.

        If nothing waits, any amount is accepted. A caller that finds no room waits for the callers that hold
        reservations at that time: they may return them, or make the job that this caller can join.
        """
        came_at, holders = time.monotonic(), None
        while not self._taken(amount, kept):
            holders = self._takes if holders is None else holders
            if not (self._count_again(came_at) or self._settled(holders, came_at + SETTLING_SECONDS)):
                self._note(full=True)
                with self._lock:
                    self.refused_total += 1
                raise QueueFull(FULL_FOR_TENANT if kept else self._refusal)
        self._note(full=False)

    def settle(self, amount: int, *, used: bool) -> None:
        """End a reservation; `used` says whether the room stays in use."""
        with self._lock:
            self._pending -= amount
            self._settles += 1
            if not used:
                self._added -= amount
                self._added_while_counting -= amount
            self._lock.notify_all()

    def _settled(self, takes: int, deadline: float) -> bool:
        """Wait until this many reservations are settled; return False if they already were, or at the deadline."""
        with self._lock:
            if self._settles >= takes:
                return False
            return self._lock.wait_for(lambda: self._settles >= takes, deadline - time.monotonic())

    def _taken(self, amount: int, kept: int) -> bool:
        self._count_again(None)
        with self._lock:
            waiting = (0 if self._last is None else self._last.value) + self._added
            if waiting and waiting + amount > self.limit - kept:
                return False
            self._added += amount
            self._added_while_counting += amount
            self._pending += amount
            self._takes += 1
        return True

    def _count_again(self, refused_since: float | None) -> bool:
        """Count if a new count is due; return whether this thread or another one has counted.

        `refused_since`: when a caller came that is refused unless a newer count finds room. Such a caller waits for a
        count that is under way; all others use the last one.
        """
        last = self._last
        if last is not None and not _is_due(last, refused_since, self._keeps(last)):
            return False
        if not self._counting.acquire(blocking=last is None or refused_since is not None):
            return False
        try:
            if self._last is last:
                self._read()
        finally:
            self._counting.release()
        return True

    def _keeps(self, last: Count) -> float:
        return NEARLY_FULL_SECONDS if last.value + self._added > NEARLY_FULL * self.limit else KEPT_SECONDS

    def _read(self) -> None:
        """Count. The count may include what is reserved now or not; to be safe, it is added nevertheless."""
        with self._lock:
            self._added_while_counting = self._pending
        began_at = time.monotonic()
        try:
            count = self._count()
        except StatementOverdue:
            with self._lock:
                if self._last is None:
                    raise
                # Too much waits to be counted in time: keep using the last count and what was added since.
                self._last = Count(self._last.value, began_at, time.monotonic() - began_at)
            return
        with self._lock:
            self._last, self._added = count, self._added_while_counting

    def _note(self, *, full: bool) -> None:
        """Log when the queue is full, and when it has had room for a while: at its limit it changes all the time."""
        moment = time.monotonic()
        if full:
            self._refused_at = moment
        elif moment - self._refused_at < ROOMY_SECONDS:
            return
        if full is not self._was_full:
            self._was_full = full
            logger.warning(
                "Queue full: new jobs are refused" if full else "Queue has room again", extra={"of": self.name}
            )


def _is_due(last: Count, refused_since: float | None, kept: float) -> bool:
    age = time.monotonic() - last.began_at
    rest = 0.0 if last.seconds < CHEAP_SECONDS else last.seconds / DEAR_SHARE
    if refused_since is None:
        return age >= max(kept, rest)
    return last.began_at < refused_since and age >= min(KEPT_SECONDS, rest)
