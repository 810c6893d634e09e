"""SIGTERM: running jobs get a grace, the rest go back to the queue, and the process ends for certain."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable

from celery.signals import worker_shutting_down
from sqlalchemy.exc import DBAPIError

from shared.errors import DatabaseUnavailable
from workers.bootstrap import WorkerServices

LAST_SECONDS = 0.8
"""For putting jobs back after the grace, within what the supervisor gives us."""

logger = logging.getLogger(__name__)


class Shutdown:
    """Bounds Celery's warm shutdown, which would wait for running jobs without end."""

    def __init__(
        self, worker: WorkerServices, grace_seconds: float, end_process: Callable[[int], object] = os._exit
    ) -> None:
        """`grace_seconds`: how long running jobs may go on. `end_process` takes the exit code and does not return."""
        self._end_process = end_process
        self._worker = worker
        self._grace_seconds = grace_seconds
        self._told = threading.Event()

    def connect(self) -> None:
        """Wait for Celery to say that it was told to stop. Two threads wait from now on: later there may be none."""
        for ending in (self._end, self._end_for_certain):
            threading.Thread(target=ending, name="shutdown", daemon=True).start()
        worker_shutting_down.connect(self._begin, weak=False)

    def _begin(self, **_: object) -> None:
        self._told.set()

    def _end_for_certain(self) -> None:
        """Whatever hangs in this process, a server that it waits for or Celery itself, it gets no more time."""
        self._told.wait()
        time.sleep(self._grace_seconds + LAST_SECONDS)
        self._end_process(0)

    def _end(self) -> None:
        self._told.wait()
        logger.info("Worker was told to stop", extra={"grace_seconds": self._grace_seconds})
        left = self._worker.leases.wait_until_idle(self._grace_seconds)
        self._worker.claims.outage_retry.stop()
        if not left:
            return
        logger.warning("Jobs put back at shutdown", extra={"jobs": len(left)})
        for job in left:
            try:
                if self._worker.claims.requeue(job, 0.0, counted=True):
                    self._worker.events.put_back(job, "worker_stopped")
            except (DatabaseUnavailable, DBAPIError):
                ids = {"job_id": str(job.id), "request_id": job.request_id}
                logger.warning("Job not put back; its lease will run out", extra=ids)
        self._worker.events.close()
        # Threads that wait for a provider can't be stopped in any other way.
        self._end_process(0)


def end_at_once_when_told(role: str) -> None:
    """Let SIGTERM and SIGINT end this process, which must have nothing to save, whatever its threads wait for.

    `role` names it in the log.

    Beat and Flower react by raising SystemExit wherever the signal finds them, and wait for all their threads: a frozen
    broker swallows the one and holds the other.
    """
    told = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, told)
    threading.Thread(target=_end_when_told, args=(told, role), name="shutdown", daemon=True).start()


def _end_when_told(told: set[signal.Signals], role: str) -> None:
    signal.sigwait(told)
    logger.info("%s has ended", role)
    os._exit(0)
