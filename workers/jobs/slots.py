"""Threads for attempts, so that a worker takes its next job although a call of the last one is still on the wire."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from threading import Event
from typing import TypeVar

from workers.jobs.stop import ClaimLost, Stop

LEFT_BEHIND_PER_SLOT = 1
"""Attempts that may go on, for each slot, after their slot has been freed. When all do, slots wait."""

LAST_SECONDS = 1.0
"""For an attempt that is told to stop to do so, before its slot is freed without it."""

logger = logging.getLogger(__name__)
T = TypeVar("T")


class Slots:
    """Runs attempts for the threads of Celery, each of which is one slot of this worker."""

    def __init__(self, slots: int) -> None:
        """`slots`: how many attempts are waited for at once."""
        self._threads = ThreadPoolExecutor(slots * (1 + LEFT_BEHIND_PER_SLOT), thread_name_prefix="attempt")

    def run(self, attempt: Callable[[], T], stop: Stop) -> T | None:
        """Return what `attempt` returns; None soon after `stop` is set if it goes on all the same."""
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
        """Start no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _log_error(ended: Future[T]) -> None:
    """Nobody waits for it any more, so nobody else would hear of it."""
    error = None if ended.cancelled() else ended.exception()
    if error is not None:
        logger.warning("Attempt that was left ended badly", extra={"reason": type(error).__name__})
