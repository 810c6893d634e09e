"""The subscription of an API process to events: which jobs ended and what was purged."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

from redis import Redis
from redis.client import PubSub
from redis.exceptions import ConnectionError as RedisConnectionError

from api.jobs.waiters import Waiters
from shared.background import BackgroundLoop
from shared.cache.purges import MAX_AGE_SECONDS, PurgeMarks
from shared.errors import DatabaseUnavailable
from shared.jobs.notifier import CHANNEL, JobEnded, KeysChanged, Notifier, PurgeAnnounced, read_event
from shared.logs.throttle import LogThrottle
from shared.redis import REDIS_ERRORS
from shared.times import now

POLL_SECONDS = MAX_AGE_SECONDS
"""How often purges are read while there is no subscription."""

LISTEN_SECONDS = 0.2
PING_SECONDS = 1.0
CLOCK_SLACK = timedelta(minutes=1)
"""How far the clocks of PostgreSQL and of this machine may differ."""

SILENCE_SECONDS = 3.0
"""A server that does not answer a ping for this long counts as down."""

logger = logging.getLogger(__name__)


class Listener:
    """Keeps the purge marks up to date and wakes waiters, in two loops that do not wait for each other.

    Without a subscription the marks are read from PostgreSQL every POLL_SECONDS. After every new subscription they are
    read until that has succeeded once, and all waiters are woken, because events may have been lost.
    """

    def __init__(
        self,
        client: Redis,
        purge_marks: PurgeMarks,
        waiters: Waiters,
        notifier: Notifier,
        keys_changed: Callable[[str], object],
    ) -> None:
        """`client`: used by this listener only. `keys_changed`: called with the id of such an announcement."""
        self._keys_changed = keys_changed
        self._client = client
        self._purge_marks = purge_marks
        self._waiters = waiters
        self._notifier = notifier
        self._subscription: PubSub | None = None
        self._heard_at = self._pinged_at = 0.0
        self._throttle = LogThrottle()
        self._subscribed = threading.Event()
        self._subscriptions = 0
        self._marks_read_for = -1
        self._hearing = BackgroundLoop("listener", self._hear_next)
        self._reading = BackgroundLoop("purge_marks", self._keep_marks_true)
        self.connected = False

    @property
    def loops(self) -> list[BackgroundLoop]:
        """The background loops."""
        return [self._hearing, self._reading]

    def start(self) -> None:
        """Start listening."""
        for loop in self.loops:
            loop.start()

    def close(self) -> None:
        """Stop listening."""
        for loop in self.loops:
            loop.stop()
        self._unsubscribe()
        self._client.close()

    def _hear_next(self) -> None:
        """Wait briefly for one message; subscribe first if there is no subscription."""
        was_connected = self.connected
        try:
            message = self._receive()
        except REDIS_ERRORS as err:
            if was_connected:
                logger.warning("Subscription lost", extra={"reason": type(err).__name__})
            self._hearing.sleep(POLL_SECONDS)
            return
        if message is not None:
            self._hear(message)

    def _receive(self) -> dict[str, Any] | None:
        with ExitStack() as on_error:
            on_error.callback(self._unsubscribe)
            subscription = self._subscription or self._subscribe()
            message: dict[str, Any] | None = subscription.get_message(timeout=LISTEN_SECONDS)
            moment = time.monotonic()
            if message is not None:
                self._heard_at = moment
            if moment - self._heard_at > SILENCE_SECONDS:
                silence = "no answer to pings"
                raise RedisConnectionError(silence)
            if moment - self._pinged_at > PING_SECONDS:
                self._pinged_at = moment
                subscription.ping()
            on_error.pop_all()
        return message

    def _subscribe(self) -> PubSub:
        self._subscription = self._client.pubsub()  # type: ignore[no-untyped-call]  # redis-py has no types here
        self._subscription.subscribe(CHANNEL)
        self._heard_at = self._pinged_at = time.monotonic()
        return self._subscription

    def _unsubscribe(self) -> None:
        self.connected = False
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            subscription.close()

    def _hear(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribe":
            self._subscriptions += 1
            self.connected = True
            self._subscribed.set()
            self._waiters.wake_all()
        elif message["type"] == "message":
            self._act_on(message["data"])

    def _act_on(self, data: bytes) -> None:
        match read_event(data):
            case JobEnded(job_id):
                self._waiters.wake(job_id)
            case PurgeAnnounced(purge, purge_id) if purge.purged_at - now() > CLOCK_SLACK:
                # Taken at its word, it would void every answer of this process for ever. PostgreSQL knows better.
                logger.warning("Purge of the future", extra={"purged_at": purge.purged_at.isoformat()})
                self._marks_read_for = -1
                self._subscribed.set()
            case PurgeAnnounced(purge, purge_id):
                self._purge_marks.note(purge.namespace, purge.task_type, purge.purged_at)
                self._notifier.acknowledge(purge_id)
            case KeysChanged(change_id):
                self._keys_changed(change_id)
            case None if self._throttle.allows("event"):
                logger.warning("Event ignored: not one of ours", extra={"bytes": len(data)})

    def _keep_marks_true(self) -> None:
        self._subscribed.wait(POLL_SECONDS)
        self._subscribed.clear()
        # Marks that were read before this subscription began may lack a purge whose event was not received.
        subscriptions = self._subscriptions
        hears = self.connected and not self._hearing.state.is_failing
        if hears and self._marks_read_for == subscriptions:
            return
        try:
            self._purge_marks.refresh()
        except DatabaseUnavailable:
            logger.debug("Purge marks not refreshed")
        else:
            self._marks_read_for = subscriptions
