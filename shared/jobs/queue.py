"""The Celery app, and putting a job id on its queue.

Redis is the broker: a message that was fetched is gone from it, and nothing is told to it when its job ends. kombu
would note every fetched message in Redis until it is acknowledged, and on losing its connection it would put such
messages back over that same, dead connection: the worker ends with an AttributeError, or hangs with the broker. The
notes bring nothing here, since the row of a job says whether its message got lost, long before kombu would.
"""

import logging
from collections.abc import Sequence
from uuid import UUID

from celery import Celery
from kombu.exceptions import BatchPublishError, OperationalError
from kombu.transport import TRANSPORT_ALIASES, redis
from redis import Redis

from shared.background import BackgroundLoop
from shared.breaker import Breaker
from shared.errors import ServerDown
from shared.logs.throttle import LogThrottle
from shared.redis import REDIS_ERRORS

RUN_JOB = "askonce.run_job"

PUBLISH_TIMEOUT_SECONDS = 0.7

PUBLISH_BOUNDS = {"socket_timeout": PUBLISH_TIMEOUT_SECONDS, "socket_connect_timeout": PUBLISH_TIMEOUT_SECONDS}

FULL = 100_000
"""Messages in one queue, some 100 MB. More would not make anybody quicker, but fill the broker with repetitions."""

BROKER_ERRORS = (OperationalError, BatchPublishError, *REDIS_ERRORS)

logger = logging.getLogger(__name__)


class Channel(redis.Channel):
    """Counts fetched messages in this process only, for the sake of the prefetch limit."""

    ack_emulation = False
    do_restore = False


class Transport(redis.Transport):
    """Redis with the channel above."""

    Channel = Channel


def register() -> None:
    """Let every Redis URL mean this transport; naming it in Celery's settings would lose the TLS of `rediss`."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:{Transport.__name__}"


def make_publisher(broker_url: str, threads: int) -> Celery:
    """Return an app that only publishes, from many threads at once, and that a frozen broker can't hold up."""
    app = make_celery(broker_url)
    app.conf.broker_transport_options = {**app.conf.broker_transport_options, **PUBLISH_BOUNDS}
    app.conf.broker_pool_limit = threads
    return app


def make_celery(broker_url: str) -> Celery:
    """Return the app as `celeryconfig.py` says, on this broker; nothing is connected yet."""
    register()
    app = Celery("askonce", broker=broker_url, set_as_current=True)
    app.config_from_object("celeryconfig")
    return app


class JobQueue:
    """Sends job ids to workers. A message may be lost or doubled: the job's row is what counts."""

    def __init__(self, app: Celery, client: Redis) -> None:
        """`client`: to the broker, for looking whether it is there."""
        self._app = app
        self._client = client
        self._throttle = LogThrottle()
        self._breaker = Breaker("broker", BROKER_ERRORS, client.ping, slow_seconds=PUBLISH_TIMEOUT_SECONDS)

    @property
    def loops(self) -> list[BackgroundLoop]:
        """What runs in the background."""
        return [self._breaker.loop]

    def publish(self, job_id: UUID, queue: str) -> bool:
        """Send one job id; False when the broker did not confirm it, though it may have taken it all the same.

        After a few failures in a row nothing is sent until the broker answers again.
        """
        return self.publish_all([job_id], queue)

    def publish_all(self, job_ids: Sequence[UUID], queue: str) -> bool:
        """Send many job ids in one round trip; False when the broker did not confirm every one."""
        try:
            self._breaker.call(lambda: self._send(job_ids, queue))
        except ServerDown:
            if self._throttle.allows("publish"):
                logger.warning("Jobs are not published: the broker is away", extra={"queue": queue})
            return False
        return True

    def is_full(self, queue: str) -> bool:
        """Tell whether so much waits in this queue that nothing should be published again; False when nobody knows."""
        try:
            return self._breaker.call(lambda: self._client.llen(queue)) >= FULL
        except ServerDown:
            return False

    def ping(self) -> None:
        """Return once the broker has answered; raise ServerDown."""
        try:
            self._client.ping()
        except REDIS_ERRORS as err:
            raise ServerDown from err

    def close(self) -> None:
        """Give up all connections."""
        self._breaker.close()
        self._client.close()
        self._app.close()

    def _send(self, job_ids: Sequence[UUID], queue: str) -> None:
        """Do what Celery's `send_task` does, in a third of its time: we know where to, so nothing is routed.

        The task bears the job's id, for who looks for it in Flower; several messages of a job share it.
        """
        amqp = self._app.amqp
        with self._app.producer_or_acquire() as producer, producer.batch():
            for argument in map(str, job_ids):
                # The task bears the job's id, for who looks for it in Flower; several messages of a job share it.
                message = amqp.create_task_message(
                    argument, RUN_JOB, args=[argument], argsrepr=f"({argument!r},)", kwargsrepr="{}"
                )
                amqp.send_task_message(producer, RUN_JOB, message, queue=queue, declare=[], retry=False)
