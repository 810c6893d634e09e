"""Redis as our broker: a message that was fetched is gone from Redis, and nothing is told to it when its job ends.

kombu notes every fetched message in Redis until it is acknowledged, and on losing its connection it puts such
messages back over that same, dead connection: the worker ends with an AttributeError, or hangs with the broker. The
notes bring nothing here, since the row of a job says whether its message got lost, long before kombu would.
"""

from kombu.transport import TRANSPORT_ALIASES, redis


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
