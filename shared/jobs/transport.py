"""kombu's transport for Redis as we use it: it keeps no copies of messages, and no message can end its process.

Whoever can write to the broker can put anything into a queue, and the names of our queues are short: another program on
the same Redis may use them too. kombu raises what such a message makes it raise, and then the worker ends.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis
from kombu.transport.virtual import Message as KombuMessage

from shared.logs.throttle import LogThrottle

_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What kombu and Celery raise for a message that is none. Errors of the connection are others."""

logger = logging.getLogger(__name__)


class Message(KombuMessage):
    """A message that is not compressed. Ours never are, and a small one could become gigabytes."""

    def __init__(self, payload: Mapping[str, Any], channel: object = None, **kwargs: Any) -> None:  # noqa: ANN401  kombu's own
        """Raise ValueError for a compressed message, and for another what kombu raises."""
        if "compression" in (payload.get("headers") or {}):
            message = "compressed"
            raise ValueError(message)
        super().__init__(payload, channel, **kwargs)  # type: ignore[no-untyped-call]  # kombu has no types


class Channel(redis.Channel):
    """Drops unreadable messages. Counts those fetched in this process only, which is enough for the prefetch limit."""

    ack_emulation = False
    do_restore = False
    Message = Message

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  kombu's own
        self._throttle = LogThrottle()
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]  # kombu has no types

    def basic_consume(self, queue: str, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  as above
        """Consume from a queue."""
        super().basic_consume(queue, *args, **kwargs)  # type: ignore[no-untyped-call]
        deliver = self.connection._callbacks[queue]  # noqa: SLF001  kombu has no other place to step in
        self.connection._callbacks[queue] = lambda raw: self._delivered(raw, deliver)  # noqa: SLF001

    def _brpop_read(self, **options: Any) -> bool:  # noqa: ANN401  as above
        read: Callable[..., bool] = super()._brpop_read
        return self._read(lambda: read(**options))

    def _receive(self) -> bool:
        return self._read(super()._receive)

    def _read(self, read: Callable[[], object]) -> bool:
        try:
            return bool(read())
        except _UNREADABLE as err:
            self._report(err)
            return True

    def _delivered(self, raw: Any, deliver: Callable[[Any], object]) -> None:  # noqa: ANN401  anything
        try:
            deliver(raw)
        except _UNREADABLE as err:
            self._report(err)
            self._let_go(raw)

    def _let_go(self, raw: Any) -> None:  # noqa: ANN401  as above
        """Count the message no more: otherwise a few of them would use up the prefetch limit for ever."""
        try:
            tag = raw["properties"]["delivery_tag"]
            self.qos.get(tag)
        except (LookupError, TypeError):
            return
        self.qos.ack(tag)

    def _report(self, err: Exception) -> None:
        if self._throttle.allows("unreadable"):
            logger.warning("Message of the broker ignored: it can't be read", extra={"reason": type(err).__name__})


class Transport(redis.Transport):
    """kombu's transport for Redis, with our channel."""

    Channel = Channel


def register() -> None:
    """Make kombu use this transport for every Redis URL. Named in Celery's settings, it would lose TLS for `rediss`."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:{Transport.__name__}"
