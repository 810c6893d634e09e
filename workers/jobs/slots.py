"""Threads for attempts. A worker can take its next job while a call of the last one still runs."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from threading import Event
from typing import TypeVar

from workers.jobs.stop import ClaimLost, Stop

LEFT_BEHIND_PER_SLOT = 1
"""For each slot, this many attempts may still run after their slot was freed. When all do, slots wait."""

LAST_SECONDS = 1.0
"""How long an attempt that is told to stop may take before its slot is freed without it."""

logger = logging.getLogger(__name__)
T = TypeVar("T")


class Slots:
    """Runs attempts for Celery's threads. Each of those threads is one slot of this worker."""

    def __init__(self, slots: int) -> None:
        """`slots`: how many attempts are waited for at once."""
        self._threads = ThreadPoolExecutor(slots * (1 + LEFT_BEHIND_PER_SLOT), thread_name_prefix="attempt")

    def run(self, attempt: Callable[[], T], stop: Stop) -> T | None:
        """Return the result of `attempt`; None if it still runs shortly after `stop` was set."""
        changed = Event()
        running = self._threads.submit(attempt)
        running.add_done_callback(lambda _: changed.set())
        with suppress(ClaimLost), stop.calling(changed.set):
            changed.wait()
        if wait([running], LAST_SECONDS).not_done:
            logger.info("Attempt left to end by itself")
            running.add_done_callback(_log_error)
            return None
        return running.result()

    def close(self) -> None:
        """Start no more attempts."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _log_error(ended: Future[T]) -> None:
    """Log the error of an attempt that nobody waits for any more."""
    error = None if ended.cancelled() else ended.exception()
    if error is not None:
        logger.warning("Attempt that was left ended badly", extra={"reason": type(error).__name__})
