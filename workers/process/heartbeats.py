"""Heartbeats, which tell Flower that this worker is online.

Celery sends its own heartbeats in the event loop, and retries until the broker accepts one: a frozen broker would
freeze the worker too.
"""

import logging
from contextlib import ExitStack

from celery import bootsteps
from celery.events import EventDispatcher
from celery.utils.sysinfo import load_average
from celery.worker import WorkController
from celery.worker.state import SOFTWARE_INFO, active_requests, all_total_count
from kombu import Connection  # type: ignore[attr-defined]  # kombu exports lazily

from shared.background import BackgroundLoop
from shared.jobs.queue import BROKER_ERRORS, PUBLISH_BOUNDS

INTERVAL_SECONDS = 2.0
LAST_WORD_SECONDS = 1.0

logger = logging.getLogger(__name__)


class Heartbeats(bootsteps.StartStopStep):
    """A loop with its own connection. A heartbeat that the broker does not accept at once is dropped."""

    def __init__(self, worker: WorkController, **kwargs: object) -> None:
        super().__init__(worker, **kwargs)
        self._worker = worker
        self._connection: Connection | None = None
        self._events: EventDispatcher | None = None
        self._heard = False
        self.loop = BackgroundLoop("heartbeats", self._beat)

    def start(self, worker: WorkController) -> None:
        """Report that the worker is online, now and from now on."""
        del worker
        self.loop.start()

    def stop(self, worker: WorkController) -> None:
        """Report that the worker is offline, unless the broker is away."""
        del worker
        self.loop.stop(LAST_WORD_SECONDS)
        if self._heard and not self.loop.is_running:
            self._say("worker-offline")
            self._disconnect()

    def _beat(self) -> None:
        with ExitStack() as on_error:
            on_error.callback(self._disconnect)
            self._heard = self._say("worker-heartbeat" if self._heard else "worker-online")
            on_error.pop_all()
        self.loop.sleep(INTERVAL_SECONDS)

    def _say(self, event: str) -> bool:
        """Send one event; return False when the broker did not accept it."""
        try:
            self._dispatcher().send(
                event,
                freq=INTERVAL_SECONDS,
                active=len(active_requests),
                processed=all_total_count[0],
                loadavg=load_average(),
                **SOFTWARE_INFO,
            )
        except BROKER_ERRORS as err:
            logger.debug("Heartbeat not sent", extra={"reason": type(err).__name__})
            return False
        return True

    def _dispatcher(self) -> EventDispatcher:
        if self._events is None:
            self._connection = connection = self._worker.app.connection_for_write()
            connection.transport_options = {**connection.transport_options, **PUBLISH_BOUNDS}
            how = {"hostname": self._worker.hostname, "buffer_while_offline": False}
            self._events = self._worker.app.events.Dispatcher(connection, **how)
        return self._events

    def _disconnect(self) -> None:
        self._heard = False
        connection, self._connection, self._events = self._connection, None, None
        if connection is not None:
            connection.release()  # type: ignore[no-untyped-call]  # kombu has no types
