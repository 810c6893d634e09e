"""A tier in this process's memory, for unit tests and as the shortest example of a tier."""

import time
from collections.abc import Callable


class Memory:
    """A tier that keeps everything until its time is up."""

    def __init__(self, name: str, clock: Callable[[], float] = time.time) -> None:
        """`clock` tells the time in seconds."""
        self.name = name
        self._clock = clock
        self._values: dict[str, tuple[bytes, float]] = {}

    def get(self, key: str) -> bytes | None:
        """Return what was stored, None for a miss."""
        value, until = self._values.get(key, (b"", 0.0))
        return value if self._clock() < until else None

    def set(self, key: str, value: bytes, ttl: int) -> None:
        """Store for `ttl` seconds."""
        self._values[key] = (value, self._clock() + ttl)

    def delete(self, keys: list[str]) -> int:
        """Forget these keys; return how many were there."""
        return sum(self._values.pop(key, None) is not None for key in keys)

    def delete_matching(self, prefix: str) -> int:
        """Forget every key that starts with `prefix`; return how many there were."""
        return self.delete([key for key in self._values if key.startswith(prefix)])

    def ping(self) -> None:
        """Memory always answers."""

    def close(self) -> None:
        """Forget everything."""
        self._values.clear()
