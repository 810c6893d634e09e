"""The Celery app, and the queue of job ids.

Redis is the broker. A worker that fetches a message removes it from Redis, and does not acknowledge it later. kombu
would keep every fetched message in Redis until it is acknowledged. When it loses its connection, it would put these
messages back over the same dead connection: the worker would end with an AttributeError, or hang with the broker. We
don't need that: the row of a job shows that its message was lost, long before kombu would.
"""

import logging
from collections.abc import Sequence
from functools import cache, partial
from uuid import UUID

from celery import Celery
from kombu.exceptions import BatchPublishError, OperationalError
from redis import Redis

from shared.background import BackgroundLoop
from shared.breaker import Breaker
from shared.errors import ServerDown
from shared.jobs.message import JobMessage
from shared.jobs.transport import register
from shared.logs.throttle import LogThrottle
from shared.redis import REDIS_ERRORS, connect

RUN_JOB = "askonce.run_job"

PUBLISH_TIMEOUT_SECONDS = 0.7

PUBLISH_BOUNDS = {"socket_timeout": PUBLISH_TIMEOUT_SECONDS, "socket_connect_timeout": PUBLISH_TIMEOUT_SECONDS}

FULL = 100_000
"""The most messages in one queue, some 100 MB. Workers have enough to do then, and more would mostly be repetitions."""

BROKER_ERRORS = (OperationalError, BatchPublishError, *REDIS_ERRORS)

logger = logging.getLogger(__name__)


def make_celery(broker_url: str) -> Celery:
    """Return the app of this broker with the settings of `celeryconfig.py`. It opens no connection yet."""
    register()
    app = Celery("askonce", broker=broker_url, set_as_current=True)
    app.config_from_object("celeryconfig")
    return app


def open_queue(broker_url: str) -> "JobQueue":
    """Return the queue of this broker. A frozen broker holds nobody up for long."""
    return JobQueue(make_celery(broker_url), connect(broker_url, PUBLISH_TIMEOUT_SECONDS))


class JobQueue:
    """Sends job ids to workers. A message may be lost or sent twice: the job's row decides what is done."""

    def __init__(self, app: Celery, client: Redis) -> None:
        """`app`: knows what messages look like. `client`: of the broker."""
        self._app = app
        self._client = client
        self._message = cache(partial(JobMessage, app, RUN_JOB))
        self._throttle = LogThrottle()
        self._breaker = Breaker("broker", BROKER_ERRORS, client.ping, slow_seconds=PUBLISH_TIMEOUT_SECONDS)

    @property
    def loops(self) -> list[BackgroundLoop]:
        """The background loops."""
        return [self._breaker.loop]

    def publish(self, job_id: UUID, queue: str) -> bool:
        """Send one job id; return False if the broker did not confirm it, although it may have accepted it.

        After a few failures in a row nothing is sent until the broker answers again.
        """
        return self.publish_all([job_id], queue)

    def publish_all(self, job_ids: Sequence[UUID], queue: str) -> bool:
        """Send many job ids in one round trip; return False unless the broker confirmed every one."""
        if not job_ids:
            return True
        try:
            self._breaker.call(lambda: self._send(job_ids, queue))
        except ServerDown:
            if self._throttle.allows("publish"):
                logger.warning("Jobs are not published: the broker is away", extra={"queue": queue})
            return False
        return True

    def is_full(self, queue: str) -> bool:
        """Return whether FULL messages or more wait in this queue; False if the broker does not answer."""
        try:
            return self._breaker.call(lambda: self._client.llen(queue)) >= FULL
        except ServerDown:
            return False

    def ping(self) -> None:
        """Return when the broker has answered; raise ServerDown."""
        try:
            self._client.ping()
        except REDIS_ERRORS as err:
            raise ServerDown from err

    def close(self) -> None:
        """Close all connections."""
        self._breaker.close()
        self._client.close()
        self._app.close()

    def _send(self, job_ids: Sequence[UUID], queue: str) -> None:
        """Put the messages into the list that is the queue, in this order: workers take from its other end."""
        message = self._message(queue)
        self._client.lpush(queue, *(message.of(job_id) for job_id in job_ids))
