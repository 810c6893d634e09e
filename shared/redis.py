"""Redis clients that fail fast."""

from collections.abc import Callable
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

TIMEOUT_SECONDS = 0.2
MAX_CONNECTIONS = 512
REDIS_ERRORS = (RedisError, OSError)


def connect(url: str, timeout: float = TIMEOUT_SECONDS) -> Redis:
    """Return a client that fails within `timeout` seconds and never retries; it connects on first use."""
    client: Redis = Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
        health_check_interval=0,
        max_connections=MAX_CONNECTIONS,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
        driver_info=None,
    )
    return client


def unless_refused(ask: Callable[[], Any]) -> Any:  # noqa: ANN401  what Redis returns
    """Return what Redis returns; None if it is there and refuses: it is full, or somebody else's value is in the way.

    For what may go without: it must not open a breaker.
    """
    try:
        return ask()
    except ResponseError:
        return None
