"""Telling Flower that this worker is there.

Celery's own heartbeats are published by the event loop, again and again until the broker takes one: a frozen broker
would freeze the worker with it.
"""

import logging
import threading

from celery import bootsteps
from celery.events import EventDispatcher
from celery.utils.sysinfo import load_average
from celery.worker import WorkController
from celery.worker.state import SOFTWARE_INFO, active_requests, all_total_count

from shared.queue import BROKER_ERRORS, PUBLISH_BOUNDS

INTERVAL_SECONDS = 2.0
LAST_WORD_SECONDS = 1.0

logger = logging.getLogger(__name__)


class Heartbeats(bootsteps.StartStopStep):
    """A thread with a connection of its own. What the broker does not take at once is not sent."""

    def __init__(self, worker: WorkController, **kwargs: object) -> None:
        """Be a step of this worker."""
        super().__init__(worker, **kwargs)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(worker,), name="heartbeats", daemon=True)

    def start(self, worker: WorkController) -> None:
        """Say that the worker is there, and go on saying it."""
        del worker
        self._thread.start()

    def stop(self, worker: WorkController) -> None:
        """Say that the worker is gone, unless the broker is gone too."""
        del worker
        self._stopping.set()
        self._thread.join(LAST_WORD_SECONDS)

    def _run(self, worker: WorkController) -> None:
        with worker.app.connection_for_write() as connection:
            connection.transport_options = {**connection.transport_options, **PUBLISH_BOUNDS}
            events = worker.app.events.Dispatcher(connection, hostname=worker.hostname, buffer_while_offline=False)
            heard = _say("worker-online", events)
            while not self._stopping.wait(INTERVAL_SECONDS):
                heard = _say("worker-heartbeat" if heard else "worker-online", events)
            _say("worker-offline", events)


def _say(event: str, events: EventDispatcher) -> bool:
    """Send one event; False when the broker did not take it."""
    try:
        events.send(
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
