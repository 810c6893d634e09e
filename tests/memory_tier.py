"""A tier in this process's memory, for unit tests and as the shortest example of a tier."""

import itertools
import time
from collections.abc import Callable

from shared.cache.tier import Version, Weight
from shared.cache.tombstones import buried_at, tombstone


class Memory:
    """A tier that keeps everything until its time is up."""

    def __init__(self, name: str, clock: Callable[[], float] = time.time) -> None:
        """`clock` tells the time in seconds."""
        self.name = name
        self._clock = clock
        self._values: dict[str, tuple[bytes, float]] = {}
        self._versions: dict[str, bytes] = {}
        self._links: dict[str, set[str]] = {}
        self._numbers = itertools.count()

    def get(self, key: str) -> bytes | None:
        """Return what was stored, None for a miss."""
        value, until = self._values.get(key, (b"", 0.0))
        return value if self._clock() < until else None

    def set(self, key: str, value: bytes, ttl: int) -> None:
        """Store for `ttl` seconds."""
        self._values[key] = (value, self._clock() + ttl)
        self._versions[key] = str(next(self._numbers)).encode()

    def get_versioned(self, key: str) -> tuple[bytes | None, Version]:
        """Return what was stored, None for a miss, and its version."""
        value = self.get(key)
        return value, None if value is None else self._versions[key]

    def set_if_unchanged(self, key: str, value: bytes, ttl: int, version: Version) -> bool:
        """Store for `ttl` seconds, unless the key was written since it had this version; say whether it was stored."""
        if self.get_versioned(key)[1] != version:
            return False
        self.set(key, value, ttl)
        return True

    def bury(self, keys: list[str], at: float, ttl: int, *, absent: bool = False) -> dict[str, bool]:
        """Put a tombstone, for `ttl` seconds, in the place of each key that is there; say which held a value."""
        found = {key: self.get(key) for key in keys}
        present = {key: buried_at(value) is None for key, value in found.items() if value is not None}
        for key in keys if absent else present:
            self.set(key, tombstone(at), ttl)
        return present

    def link(self, keys: list[str], ttl: int) -> None:  # noqa: ARG002  remembered for good
        """Remember that these keys hold the same answer."""
        for key in keys:
            self._links.setdefault(key, set()).update(keys)

    def linked(self, keys: list[str]) -> frozenset[str]:
        """Return the keys that are linked to one of these, without these."""
        known = set(keys)
        while more := set().union(*(self._links.get(key, set()) for key in known)) - known:
            known |= more
        return frozenset(known.difference(keys))

    def set_unless_buried(self, key: str, value: bytes, ttl: int, made_at: float) -> bool:
        """Store for `ttl` seconds, unless a tombstone from `made_at` or later is there; say whether it was stored."""
        at = buried_at(self.get(key))
        if at is not None and at >= made_at:
            return False
        self.set(key, value, ttl)
        return True

    def holds_any(self, keys: list[str]) -> bool:
        """Return whether one of these keys has a value."""
        return any(self.get(key) is not None for key in keys)

    def delete(self, keys: list[str]) -> int:
        """Forget these keys; return how many were there."""
        return sum(self._values.pop(key, None) is not None for key in keys)

    def delete_matching(self, prefix: str) -> int:
        """Forget every key that starts with `prefix`; return how many there were."""
        return self.delete([key for key in self._values if key.startswith(prefix)])

    def weigh_matching(self, prefix: str) -> Weight:
        """Return what `delete_matching` would forget, without tombstones."""
        values = [self.get(key) for key in self._values if key.startswith(prefix)]
        answers = [value for value in values if value is not None and buried_at(value) is None]
        return Weight(len(answers), sum(map(len, answers)))

    def ping(self) -> None:
        """Memory always answers."""

    def close(self) -> None:
        """Forget everything."""
        self._values.clear()
