"""A cache of two tiers in memory, and the clock that they go by."""

from collections.abc import Collection

from examples import NOON, Clock

from shared.cache.entry import Wanted
from shared.cache.lookup import Address, Lookup
from shared.cache.purges import PurgeMarks, PurgeTimes
from shared.cache.tier import Version, Weight
from shared.cache.tiered import TieredCache
from shared.cache.tombstones import buried_at
from shared.domain.routes import Route
from shared.errors import ServerDown
from tests.memory_tier import Memory

ADDRESS = Address("default", "summarization", "a" * 64)


class Down(Memory):
    """A tier whose server does not answer."""

    def get(self, key: str) -> bytes | None:
        raise ServerDown(key)

    def set(self, key: str, value: bytes, ttl: int) -> None:  # noqa: ARG002  the protocol's shape
        raise ServerDown(key)

    def get_versioned(self, key: str) -> tuple[bytes | None, Version]:
        raise ServerDown(key)

    def bury(self, keys: list[str], at: float, ttl: int, *, absent: bool = False) -> dict[str, bool]:  # noqa: ARG002  as above
        raise ServerDown(", ".join(keys))

    def link(self, keys: list[str], ttl: int) -> None:  # noqa: ARG002  as above
        raise ServerDown(", ".join(keys))

    def linked(self, keys: list[str]) -> frozenset[str]:
        raise ServerDown(", ".join(keys))

    def set_unless_buried(self, key: str, value: bytes, ttl: int, made_at: float) -> bool:  # noqa: ARG002  as above
        raise ServerDown(key)

    def delete_matching(self, prefix: str) -> int:
        raise ServerDown(prefix)

    def weigh_matching(self, prefix: str) -> Weight:
        raise ServerDown(prefix)


class Purges:
    """What was purged, as a test sets it."""

    def __init__(self) -> None:
        self.times: PurgeTimes = {}

    def read(self) -> PurgeTimes:
        return self.times


class World:
    """Two tiers in memory under one clock, and the cache over them."""

    def __init__(self, stale_ttl: int = 0) -> None:
        self.clock = Clock()
        self._stale_ttl = stale_ttl
        self.l1, self.l2 = Memory("memcached", self.clock), Memory("redis", self.clock)
        self.marks = PurgeMarks(Purges())
        self.marks.refresh()
        self.cache = self.make()

    def make(
        self, *, l1_ttl: int = 300, l2_ttl: int = 3600, stale_ttl: int | None = None, down: str = ""
    ) -> TieredCache:
        tiers = [Down(tier.name) if tier.name in down else tier for tier in (self.l1, self.l2)]
        return TieredCache(
            *tiers,
            l1_ttl=l1_ttl,
            l2_ttl=l2_ttl,
            stale_ttl=self._stale_ttl if stale_ttl is None else stale_ttl,
            purge_marks=self.marks,
            clock=self.clock,
        )

    def at(self, seconds: float) -> None:
        self.clock.now = NOON.timestamp() + seconds

    def lookup(
        self, seconds: float, max_age: float | None = None, *, fallbacks: Collection[Route] | None = None
    ) -> Lookup:
        self.at(seconds)
        return self.cache.lookup(ADDRESS, Wanted(max_age, fallbacks))

    def held(self) -> list[str]:
        """Name the tiers that hold an answer, not only the tombstone of one."""
        values = {tier.name: tier.get(ADDRESS.name()) for tier in (self.l1, self.l2)}
        return [name for name, value in values.items() if value is not None and buried_at(value) is None]
