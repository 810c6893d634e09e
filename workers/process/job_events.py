"""Events that tell Flower about jobs: each job is one row with the job's id, whose state follows its attempts.

Celery's own task events are off. They describe messages, and a message that ends well may have failed its job, delayed
it, or found nothing to do. Celery also sent them for maintenance, four times a second.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from celery import Celery
from celery.events import EventDispatcher
from sqlalchemy import select

from shared.background import BackgroundLoop
from shared.db.engine import Database
from shared.db.tables import jobs
from shared.errors import DatabaseUnavailable
from shared.jobs.job import Job, JobStatus
from shared.jobs.queue import BROKER_ERRORS, PUBLISH_BOUNDS, RUN_JOB
from workers.jobs.attempt import AttemptEnd, Ended

INTERVAL_SECONDS = 0.25
BATCH = 1000
CAPACITY = 10_000
"""Events that wait for the broker; beyond this number the oldest are dropped. Flower remembers as many jobs."""

logger = logging.getLogger(__name__)


class JobEvents:
    """Accepts events from any thread without blocking, and sends them in batches several times a second.

    Events wait in memory until `start` is called, and while the broker is away.
    """

    def __init__(self, database: Database) -> None:
        """`database`: to look up whether jobs that were not run were cancelled."""
        self._database = database
        self._not_run: deque[UUID] = deque(maxlen=CAPACITY)
        self._waiting: deque[dict[str, Any]] = deque(maxlen=CAPACITY)
        self._in_hand = False
        self._dispatcher: EventDispatcher | None = None
        self._loop = BackgroundLoop("job events", self._send, pause=INTERVAL_SECONDS)

    @property
    def loop(self) -> BackgroundLoop:
        """The thread that sends."""
        return self._loop

    def start(self, app: Celery, node_name: str) -> None:
        """Start sending, as the worker of this name."""
        connection = app.connection_for_write()
        connection.transport_options = {**connection.transport_options, **PUBLISH_BOUNDS}
        self._dispatcher = app.events.Dispatcher(
            connection,
            hostname=node_name,
            buffer_while_offline=False,
            buffer_group=("task",),
            buffer_limit=BATCH + 1,
        )
        self._loop.start()

    def close(self) -> None:
        """Send the rest, if the broker accepts it now."""
        self._loop.stop()
        if self._dispatcher is None:
            return
        self._send()
        try:
            # Heartbeats sent this before the last jobs ended. Flower takes later job events as a sign of life.
            self._dispatcher.send("worker-offline")
            self._dispatcher.connection.release()
        except BROKER_ERRORS:
            logger.debug("Last word not sent")
        self._dispatcher = None

    def attempt(self, job: Job, run: Callable[[], AttemptEnd]) -> AttemptEnd:
        """Run an attempt of a claimed job, and return its end; report its beginning and its end."""
        self._add(
            "task-received",
            job.id,
            args="",
            kwargs=repr({"task_type": job.task_type}),
            retries=job.attempts - 1,
        )
        self._add("task-started", job.id)
        begun = time.monotonic()
        try:
            end = run()
        except DatabaseUnavailable as error:
            self._add("task-retried", job.id, exception=error.code)
            raise
        self._ended(job.id, end, time.monotonic() - begun)
        return end

    def not_run(self, job_id: UUID) -> None:
        """Report a job that was not run when its turn came, or whose attempt was lost, if it was cancelled."""
        self._not_run.append(job_id)

    def requeued(self, job: Job, code: str) -> None:
        """Report that a job is queued again before its attempt has ended."""
        self._add("task-retried", job.id, exception=code)

    def failed(self, job_ids: Iterable[UUID], code: str) -> None:
        """Report jobs that were failed while no worker ran them."""
        for job_id in job_ids:
            self._add("task-failed", job_id, exception=code)

    def _ended(self, job_id: UUID, end: AttemptEnd, seconds: float) -> None:
        if end.ended is Ended.COMPLETED:
            # The row must not keep the error of an earlier attempt.
            self._add("task-succeeded", job_id, result=end.ended.value, runtime=seconds, exception=None)
        elif end.ended is Ended.FAILED:
            self._add("task-failed", job_id, runtime=seconds, exception=end.code)
        elif end.ended is Ended.LATER:
            self._add("task-retried", job_id, exception=end.code)
        else:
            self.not_run(job_id)

    def _add(self, type_: str, job_id: UUID, **fields: object) -> None:
        # Each event has the task's name: Flower may have missed earlier events.
        event = {"type": type_, "uuid": str(job_id), "timestamp": time.time(), "name": RUN_JOB, **fields}
        self._waiting.append(event)

    def _send(self) -> None:
        """Publish all events in batches. A batch that the broker does not accept stays in the dispatcher, unchanged."""
        if self._dispatcher is None:
            return
        self._report_cancelled()
        try:
            while self._in_hand or self._waiting:
                self._take()
                self._dispatcher.flush(errors=False)
                self._in_hand = False
        except BROKER_ERRORS as err:
            logger.debug("Job events not sent", extra={"reason": type(err).__name__})

    def _report_cancelled(self) -> None:
        """Look up which of the jobs that were not run were cancelled. Who could not be asked about is forgotten."""
        job_ids = [self._not_run.popleft() for _ in range(len(self._not_run))]
        if not job_ids:
            return
        cancelled = select(jobs.c.id).where(jobs.c.id.in_(job_ids), jobs.c.status == JobStatus.CANCELLED)
        try:
            rows = self._database.run(cancelled)
        except DatabaseUnavailable:
            return
        for row in rows:
            self._add("task-revoked", row.id, terminated=False, signum=None, expired=False)

    def _take(self) -> None:
        if self._dispatcher is None or self._in_hand:
            return
        for _ in range(min(BATCH, len(self._waiting))):
            event = self._waiting.popleft()
            self._dispatcher.send(**event)
        self._in_hand = True
