"""Celery's beat, which takes a broker that is away for what it is: one line, and another try in a second."""

import logging

from celery.beat import ScheduleEntry, SchedulingError
from celery.beat import Scheduler as CeleryScheduler
from kombu import Connection, Producer  # type: ignore[attr-defined]  # kombu exports lazily

from workers.process.consumer import RECONNECT_SECONDS

logger = logging.getLogger(__name__)


class Scheduler(CeleryScheduler):
    """In memory: the schedule has no state worth a file. What can't be sent is dropped; the next one does as well."""

    def apply_entry(self, entry: ScheduleEntry, producer: Producer | None = None) -> None:
        """Send what is due."""
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
