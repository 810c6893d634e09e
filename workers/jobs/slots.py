"""Threads for attempts. A slot can take its next job while a provider call of its last one still runs."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from threading import Event
from typing import TypeVar

from workers.jobs.stop import ClaimLost, Stop

LEFT_BEHIND_PER_SLOT = 1
"""For each slot, this many attempts may still run after their slot was freed. If all do, new attempts wait."""

LAST_SECONDS = 1.0
"""How long a slot waits for an attempt that was told to stop."""

logger = logging.getLogger(__name__)
T = TypeVar("T")


class Slots:
    """Runs attempts for Celery's threads. Each of those threads is one slot of this worker."""

    def __init__(self, slots: int) -> None:
        """`slots`: how many of Celery's threads call `run` at once."""
        self._threads = ThreadPoolExecutor(slots * (1 + LEFT_BEHIND_PER_SLOT), thread_name_prefix="attempt")

    def run(self, attempt: Callable[[], T], stop: Stop) -> T | None:
        """Return the result of `attempt` or raise its error; None if it still runs LAST_SECONDS after `stop` is set."""
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
