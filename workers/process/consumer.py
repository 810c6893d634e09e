"""Celery's consumer, which comes back soon after the broker does, however long that was away."""

import logging

from celery.worker.consumer import Consumer as CeleryConsumer
from celery.worker.state import maybe_shutdown
from kombu import Connection  # type: ignore[attr-defined]  # kombu exports lazily

RECONNECT_SECONDS = 1

logger = logging.getLogger(__name__)


class Consumer(CeleryConsumer):
    """Tries to connect every second; Celery's own pauses grow to half a minute."""

    def ensure_connected(self, conn: Connection) -> Connection:
        """Return the connection once it stands; end the worker if it is told to stop meanwhile."""
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
