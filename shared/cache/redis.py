"""The second tier: Redis or Valkey."""

from redis import Redis
from redis.exceptions import OutOfMemoryError

from shared.breaker import Breaker
from shared.errors import ServerDown
from shared.redis_client import REDIS_ERRORS

SCAN_BATCH = 1000


class RedisTier:
    """A tier over one Redis, behind a breaker."""

    name = "redis"

    def __init__(self, client: Redis) -> None:
        """Take a client made by `connect`."""
        self._client = client
        self.breaker = Breaker("redis", REDIS_ERRORS, client.ping)

    @property
    def breakers(self) -> list[Breaker]:
        """The one breaker."""
        return [self.breaker]

    def get(self, key: str) -> bytes | None:
        """Return what was stored, None for a miss."""
        value = self.breaker.call(lambda: self._client.get(key))
        return value if isinstance(value, bytes) else None

    def set(self, key: str, value: bytes, ttl: int) -> None:
        """Store for `ttl` seconds."""
        self.breaker.call(lambda: self._set(key, value, ttl))

    def delete(self, keys: list[str]) -> int:
        """Forget these keys; return how many were there."""
        return int(self.breaker.call(lambda: self._client.unlink(*keys)))

    def delete_matching(self, prefix: str) -> int:
        """Forget every key that starts with `prefix`; return how many there were. Never blocks the server long."""
        found = 0
        cursor = 0
        while True:
            cursor, keys = self.breaker.call(
                lambda: self._client.scan(cursor, match=f"{prefix}*", count=SCAN_BATCH)  # noqa: B023  called at once
            )
            if keys:
                found += int(self.breaker.call(lambda: self._client.unlink(*keys)))  # noqa: B023  called at once
            if cursor == 0:
                return found

    def ping(self) -> None:
        """Ask the server; raise ServerDown when it does not answer."""
        self.breaker.call(self._client.ping)

    def close(self) -> None:
        """Give up all connections."""
        self.breaker.close()
        self._client.close()

    def _set(self, key: str, value: bytes, ttl: int) -> None:
        try:
            self._client.set(key, value, ex=ttl)
        except OutOfMemoryError as err:
            # Full: the server is well, so this must not open the breaker.
            message = "redis refused to store a value"
            raise ServerDown(message) from err
