"""One subscription a process: hears which jobs ended and what was purged."""

import json
import logging
import threading
import time
from datetime import datetime
from typing import Any
from uuid import UUID

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from shared.cache.purge_marks import PurgeMarks
from shared.errors import DatabaseUnavailable
from shared.notifications import CHANNEL, Notifier
from shared.redis_client import REDIS_ERRORS
from shared.waiters import Waiters

POLL_SECONDS = 0.25
"""How old the purge marks may be while there is no subscription."""

PING_SECONDS = 1.0
SILENCE_SECONDS = 3.0
"""A server that has not answered a ping for so long is gone."""

logger = logging.getLogger(__name__)


class Listener:
    """A thread that keeps the purge marks true and wakes waiters.

    Without a subscription it reads the marks from PostgreSQL every quarter of a second; after every new
    subscription it reads them until it has them once, and wakes all waiters, for events may have been missed.
    """

    def __init__(self, client: Redis, purge_marks: PurgeMarks, waiters: Waiters, notifier: Notifier) -> None:
        """`client` is this listener's own."""
        self._client = client
        self._purge_marks = purge_marks
        self._waiters = waiters
        self._notifier = notifier
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._marks_are_true = False
        self.connected = False

    def start(self) -> None:
        """Begin to listen."""
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        self._client.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen()
            except REDIS_ERRORS as err:
                if self.connected:
                    logger.warning("Subscription lost", extra={"reason": type(err).__name__})
                self.connected = False
            self._refresh_marks()
            self._stopping.wait(POLL_SECONDS)

    def _listen(self) -> None:
        with self._client.pubsub() as subscription:  # type: ignore[no-untyped-call]  # redis-py has no types here
            subscription.subscribe(CHANNEL)
            heard = pinged = time.monotonic()
            while not self._stopping.is_set():
                message = subscription.get_message(timeout=0.2)
                if message is not None:
                    heard = time.monotonic()
                    self._hear(message)
                if self.connected and not self._marks_are_true:
                    self._refresh_marks()
                if time.monotonic() - heard > SILENCE_SECONDS:
                    silence = "no answer to pings"
                    raise RedisConnectionError(silence)
                if time.monotonic() - pinged > PING_SECONDS:
                    subscription.ping()
                    pinged = time.monotonic()

    def _hear(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribe":
            self.connected = True
            self._marks_are_true = False
            self._refresh_marks()
            self._waiters.wake_all()
        elif message["type"] == "message":
            event = json.loads(message["data"])
            if event["event"] == "job_ended":
                self._waiters.wake(UUID(event["job_id"]))
            elif event["event"] == "purged":
                purged_at = datetime.fromisoformat(event["purged_at"])
                self._purge_marks.note(event["namespace"], event["task_type"], purged_at)
                self._notifier.acknowledge(event["purge_id"])

    def _refresh_marks(self) -> None:
        try:
            self._purge_marks.refresh()
            self._marks_are_true = True
        except DatabaseUnavailable:
            logger.debug("Purge marks not refreshed")
