"""Changes to Celery's consumer, messages, worker and beat: they reconnect every second and print nothing."""

import logging

from celery.apps.worker import Worker, install_worker_term_handler
from celery.beat import ScheduleEntry, SchedulingError
from celery.beat import Scheduler as CeleryScheduler
from celery.concurrency.base import BasePool
from celery.worker.consumer import Consumer as CeleryConsumer
from celery.worker.request import Request
from celery.worker.state import maybe_shutdown
from kombu import Connection, Producer  # type: ignore[attr-defined]  # kombu exports lazily

logger = logging.getLogger(__name__)


RECONNECT_SECONDS = 1


class Consumer(CeleryConsumer):
    """Tries to connect every second; Celery's own pauses grow to half a minute."""

    def ensure_connected(self, conn: Connection) -> Connection:
        """Return the connection once it works; end the worker if it is told to stop meanwhile."""
        conn.ensure_connection(  # type: ignore[no-untyped-call]  # Celery has no types
            _report,
            interval_start=RECONNECT_SECONDS,
            interval_step=0,
            interval_max=RECONNECT_SECONDS,
            callback=maybe_shutdown,
        )
        self.first_connection_attempt = False
        return conn


def _report(error: Exception, _: float) -> None:
    logger.warning("The broker is away", extra={"reason": type(error).__name__})


class JobRequest(Request):
    """A message that can't be revoked or terminated.

    Its id is the job's id. A worker that was told to revoke it would discard every message of the job for hours, and
    the job would stay queued until its deadline. Jobs are cancelled by the API.
    """

    def revoked(self) -> bool:
        """Whether to discard the message: never."""
        return False

    def terminate(self, pool: BasePool, signal: str | None = None) -> None:
        """Do nothing: threads can't be terminated, and Celery would lose the message."""


class QuietWorker(Worker):
    """Treats SIGINT like SIGTERM and prints nothing: `Shutdown` logs the end, and limits its time."""

    def install_platform_tweaks(self, worker: Worker) -> None:
        """Set the signal handlers."""
        super().install_platform_tweaks(worker)
        for name in ("SIGTERM", "SIGINT"):
            install_worker_term_handler(worker, sig=name, verbose=False)


class Scheduler(CeleryScheduler):
    """Beat's schedule, in memory: it needs no file. A message that can't be sent is dropped; the next one will do."""

    def apply_entry(self, entry: ScheduleEntry, producer: Producer | None = None) -> None:
        """Send the message of a due entry."""
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except SchedulingError as err:
            logger.warning("Not sent: the broker is away", extra={"task": entry.task, "reason": str(err)})

    def _ensure_connected(self) -> Connection:
        """Try every second; Celery's own pauses grow to half a minute."""
        connection: Connection = self.connection
        connection.ensure_connection(  # type: ignore[no-untyped-call]  # Celery has no types
            lambda *_: logger.warning("The broker is away"),
            interval_start=RECONNECT_SECONDS,
            interval_step=0,
            interval_max=RECONNECT_SECONDS,
        )
        return connection
