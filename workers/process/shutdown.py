"""How a worker ends after SIGTERM: running jobs get a grace period, then they are queued again."""

import logging
import os
import threading
import time
from collections.abc import Callable

from celery.signals import worker_shutting_down
from sqlalchemy.exc import DBAPIError

from shared.errors import DatabaseUnavailable
from shared.logs.context import log_fields
from workers.bootstrap import WorkerServices

LAST_SECONDS = 0.8
"""For queueing jobs again after the grace period, before the supervisor kills the process."""

logger = logging.getLogger(__name__)


class Shutdown:
    """Limits Celery's warm shutdown, which would wait for running jobs for ever."""

    def __init__(
        self, worker: WorkerServices, grace_seconds: float, end_process: Callable[[int], object] = os._exit
    ) -> None:
        """`grace_seconds`: how long running jobs may go on. `end_process`: takes the exit code, and does not return."""
        self._end_process = end_process
        self._worker = worker
        self._grace_seconds = grace_seconds
        self._told = threading.Event()

    def connect(self) -> None:
        """Subscribe to Celery's signal to stop.

        The two threads that end the process start now: when the signal comes, the system may have no thread left.
        """
        for ending in (self._end, self._end_for_certain):
            threading.Thread(target=ending, name="shutdown", daemon=True).start()
        worker_shutting_down.connect(self._begin, weak=False)

    def _begin(self, **_: object) -> None:
        self._told.set()

    def _end_for_certain(self) -> None:
        """End the process when its time is over, whatever it waits for: a server, or Celery itself."""
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
        logger.warning("Jobs requeued at shutdown", extra={"jobs": len(left)})
        for job in left:
            try:
                if self._worker.claims.requeue(job, 0.0, counted=True):
                    self._worker.events.requeued(job, "worker_stopped")
            except (DatabaseUnavailable, DBAPIError):
                with log_fields(job_id=str(job.id), request_id=job.request_id, trace_id=job.trace_id):
                    logger.warning("Job not requeued; its lease will run out")
        self._worker.events.close()
        self._worker.services.tracer.close()
        # Threads that wait for a provider can't be stopped in another way.
        self._end_process(0)
