"""SIGTERM: running jobs get a grace, the rest go back to the queue, and the process ends for certain."""

import logging
import os
import signal
import threading

from celery.signals import worker_shutting_down

from shared.errors import DatabaseUnavailable
from workers.bootstrap import WorkerServices

LAST_SECONDS = 0.8
"""For putting jobs back after the grace, within what the supervisor gives us."""

logger = logging.getLogger(__name__)


class Shutdown:
    """Bounds Celery's warm shutdown, which would wait for running jobs without end."""

    def __init__(self, worker: WorkerServices, grace_seconds: float) -> None:
        """`grace_seconds`: how long running jobs may go on."""
        self._worker = worker
        self._grace_seconds = grace_seconds

    def connect(self) -> None:
        """Wait for Celery to say that it was told to stop."""
        worker_shutting_down.connect(self._begin, weak=False)

    def _begin(self, **_: object) -> None:
        threading.Thread(target=self._end, name="shutdown", daemon=True).start()
        # Whatever hangs in this process, a server that it waits for or Celery itself, it has no more time than this.
        last_resort = threading.Timer(self._grace_seconds + LAST_SECONDS, os._exit, [0])
        last_resort.daemon = True
        last_resort.start()

    def _end(self) -> None:
        left = self._worker.leases.wait_until_idle(self._grace_seconds)
        self._worker.claims.endurance.stop()
        if not left:
            return
        logger.warning("Jobs put back at shutdown", extra={"jobs": len(left)})
        for job in left:
            try:
                self._worker.claims.put_back(job, 0.0)
            except DatabaseUnavailable:
                logger.warning(
                    "Job not put back; its lease will run out",
                    extra={"job_id": str(job.id), "request_id": job.request_id},
                )
        # Threads that wait for a provider can't be stopped in any other way.
        os._exit(0)


def end_at_once_when_told() -> None:
    """Let SIGTERM and SIGINT end this process, which must have nothing to save, whatever its threads wait for.

    Beat and Flower react by raising SystemExit wherever the signal finds them, and wait for all their threads: a frozen
    broker swallows the one and holds the other.
    """
    told = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, told)
    threading.Thread(target=_end_when_told, args=(told,), name="shutdown", daemon=True).start()


def _end_when_told(told: set[signal.Signals]) -> None:
    signal.sigwait(told)
    os._exit(0)
