"""Which stored answers may be served, and for how long: the rules of both tiers, without any I/O."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from shared.cache.entry import Entry, Wanted
from shared.cache.lookup import SECOND, Address, Lookup, Visit
from shared.cache.purges import PurgeMarks


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """All TTLs are whole seconds; 0 for `l1_ttl` or `l2_ttl` switches that tier off.

    `fallback_ttl`: the TTL of answers of fallback models. `stale_ttl`: how much longer than its TTL the second tier
    keeps all other answers. `clock` returns seconds since the epoch.
    """

    l1_ttl: int
    l2_ttl: int
    purge_marks: PurgeMarks
    fallback_ttl: int = 60
    stale_ttl: int = 0
    clock: Callable[[], float] = time.time

    @property
    def kept_seconds(self) -> int:
        """The longest time, in seconds, that a tier holds an answer."""
        return max(self.l1_ttl, self.l2_ttl + self.stale_ttl if self.l2_ttl else 0)

    @property
    def lifetime(self) -> int:
        """How many seconds an answer is fresh: the TTL of the second tier, or of the first if that is the only one."""
        return self.l2_ttl or self.l1_ttl

    def judge(self, tier: str, entry: Entry | None, address: Address, wanted: Wanted) -> tuple[Entry | None, Visit]:
        """Return what a tier's entry is worth to a request. A hit has a fresh one, a miss may have a stale one."""
        if entry is None or not self.is_allowed(entry, address):
            return None, Visit(tier, "miss")
        now = self.clock()
        age = max(0.0, now - entry.completed_at)
        if now >= entry.expires_at or age >= self.lifetime:
            return None if entry.by_fallback else entry, Visit(tier, "miss")
        if not wanted.takes(entry, age):
            return None, Visit(tier, "refused")
        lifetime = self.l2_ttl if tier == SECOND else self.lifetime
        return entry, Visit(tier, "hit", int(min(entry.expires_at, entry.completed_at + lifetime) - now))

    def as_stale(self, visit: Visit, entry: Entry | None, wanted: Wanted) -> Lookup | None:
        """Return a stale answer as the hit that it would be; None if there is none or the request limits the age."""
        if entry is None or wanted.max_age is not None:
            return None
        second = Visit(SECOND, "hit", ttl=math.floor(self.left(SECOND, entry)))
        return Lookup((visit, second), entry.answer, self.age(entry)) if -second.ttl <= self.stale_ttl else None

    def is_allowed(self, entry: Entry, address: Address) -> bool:
        """Return whether the answer's job started after the last purge of its task type."""
        return self.purge_marks.allows(address.namespace, address.task_type, entry.answer.started_at)

    def left(self, tier: str, entry: Entry) -> float:
        """Return for how many seconds a tier may still serve the entry; below 0 if it is stale."""
        lifetime = self.l2_ttl if tier == SECOND else self.lifetime
        return min(entry.expires_at, entry.completed_at + lifetime) - self.clock()

    def age(self, entry: Entry) -> float:
        """Return how many seconds ago the answer was made."""
        return max(0.0, self.clock() - entry.completed_at)

    def expiry(self, entry: Entry, ttl: int) -> tuple[float, int]:
        """Return until when a tier with this TTL keeps the entry, and its seconds there; below 1 it is not stored."""
        now = self.clock()
        return min(entry.expires_at, now + ttl), int(min(ttl, entry.expires_at - now))
