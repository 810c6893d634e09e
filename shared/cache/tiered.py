"""Both tiers as one cache: look up, copy to the first tier, store, purge. A failing tier does not affect the other."""

import math
import time
from collections.abc import Callable
from dataclasses import replace

from shared.cache.entry import Entry, Wanted, decode, encode
from shared.cache.lookup import KEY_PREFIX, Address, Lookup, Visit
from shared.cache.purges import PurgeMarks
from shared.cache.tier import FirstTier, SecondTier, Tier, Version
from shared.cache.tombstones import buried_at, bury
from shared.domain.answer import Answer
from shared.errors import ServerDown


class TieredCache:
    """memcached in front of Redis. A tier that is down is a miss, never an error."""

    def __init__(  # noqa: PLR0913  the two tiers with a TTL each, the other times, what was purged, and the clock
        self,
        l1: FirstTier,
        l2: SecondTier,
        *,
        l1_ttl: int,
        l2_ttl: int,
        purge_marks: PurgeMarks,
        fallback_ttl: int = 60,
        stale_ttl: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """All TTLs are whole seconds; 0 for `l1_ttl` or `l2_ttl` switches that tier off.

        `fallback_ttl`: the TTL of answers of fallback models. `stale_ttl`: how much longer than its TTL the second tier
        keeps all other answers.
        """
        self.l1, self.l2 = l1, l2
        self.purge_marks = purge_marks
        self._l1_ttl, self._l2_ttl = l1_ttl, l2_ttl
        self._fallback_ttl, self._stale_ttl = fallback_ttl, stale_ttl
        self._clock = clock

    @property
    def kept_seconds(self) -> int:
        """The longest time, in seconds, that a tier holds an answer."""
        return max(self._l1_ttl, self._l2_ttl + self._stale_ttl if self._l2_ttl else 0)

    def lookup(self, address: Address, max_age: float | None = None, *, by_fallback: bool = True) -> Lookup:
        """Ask the first tier, then the second. A hit of the second is copied to the first for its remaining time.

        `by_fallback`: whether the request accepts the answer of a fallback model.
        """
        wanted = Wanted(max_age, by_fallback)
        entry, visit, version = self._ask_first(address, wanted)
        if entry is not None and visit.state == "hit":
            return Lookup((visit,), entry.answer, self._age(entry))
        entry, second = self._ask(self.l2, self._l2_ttl, address, wanted)
        if entry is None or second.state != "hit":
            return Lookup((visit, second), stale=self._as_stale(visit, entry, wanted))
        if visit.state in {"miss", "refused"}:
            visit = replace(visit, stored=self._store_first(address, entry, version))
        return Lookup((visit, second), entry.answer, self._age(entry))

    def recall(self, address: Address, *, by_fallback: bool = True) -> Answer | None:
        """Return a fresh answer of the second tier, else None. A worker calls this before it pays a provider."""
        entry, visit = self._ask(self.l2, self._l2_ttl, address, Wanted(None, by_fallback))
        return entry.answer if entry is not None and visit.state == "hit" else None

    def recall_stale(self, address: Address, seconds: float) -> Answer | None:
        """Return the second tier's answer if it is stale by at most this many seconds, else None."""
        entry, _ = self._ask(self.l2, self._l2_ttl, address, Wanted(None, by_fallback=False))
        return entry.answer if entry is not None and -self._left(self.l2, entry) <= seconds else None

    def store_under(self, addresses: list[Address], answer: Answer, *, by_fallback: bool = False) -> None:
        """Store under each of these addresses, so that a purge of one key purges all. The first is the job's own.

        Without the second tier, which remembers that they belong together, only the first is used.
        """
        if len(addresses) > 1:
            try:
                self.l2.link([address.name() for address in addresses], self.kept_seconds)
            except ServerDown:
                addresses = addresses[:1]
        for address in addresses:
            self.store(address, answer, by_fallback=by_fallback)

    def store(self, address: Address, answer: Answer, *, by_fallback: bool = False) -> None:
        """Store in the second tier, then in the first. An answer from before a purge is not stored.

        The first tier is read beforehand and written only if unchanged: a purge in between writes both tiers.
        """
        if not self.purge_marks.allows(address.namespace, address.task_type, answer.started_at):
            return
        lifetime = self._l2_ttl or self._l1_ttl
        fresh = min(lifetime, self._fallback_ttl) if by_fallback else lifetime
        entry = Entry(answer, answer.completed_at.timestamp() + fresh, by_fallback)
        held, version, is_up = self._look_into_first(address)
        if not self._store_second(address, entry, longer=0 if by_fallback else self._stale_ttl):
            return
        buried = buried_at(held)
        if is_up and (buried is None or buried < answer.started_at.timestamp()):
            self._store_first(address, entry, version)

    def purge_key(self, namespace: str, task_types: list[str], key: str) -> dict[str, int]:
        """Delete a key under every task type, and keys that hold the same answer; return by tier how many there were.

        Afterwards nobody can store an answer that was read before, or whose job started before. Raises ServerDown when
        a tier may still hold the answer; the other tier has deleted it nevertheless.
        """
        names = [Address(namespace, task_type, key).name() for task_type in task_types]
        return bury(self.l1, self.l2, names, self._clock())

    def purge_task_type(self, namespace: str, task_type: str) -> int | None:
        """Delete all answers of a task type in the second tier; return how many, None when the tier is down.

        This only frees memory: the purge mark is what makes these answers misses.
        """
        try:
            return self.l2.delete_matching(f"{KEY_PREFIX}:{namespace}:{task_type}:")
        except ServerDown:
            return None

    def _ask_first(self, address: Address, wanted: Wanted) -> tuple[Entry | None, Visit, Version]:
        if self._l1_ttl == 0:
            return None, Visit(self.l1.name, "off"), None
        value, version, is_up = self._look_into_first(address)
        if not is_up:
            return None, Visit(self.l1.name, "down"), None
        return *self._judge(self.l1, value, address, wanted), version

    def _look_into_first(self, address: Address) -> tuple[bytes | None, Version, bool]:
        """Return what the first tier holds, its version, and whether the tier is up."""
        if self._l1_ttl == 0:
            return None, None, False
        try:
            return *self.l1.get_versioned(address.name()), True
        except ServerDown:
            return None, None, False

    def _ask(self, tier: Tier, ttl: int, address: Address, wanted: Wanted) -> tuple[Entry | None, Visit]:
        """Return the tier's entry and the visit. Only a hit may be served; a miss may come with a stale entry."""
        if ttl == 0:
            return None, Visit(tier.name, "off")
        try:
            value = tier.get(address.name())
        except ServerDown:
            return None, Visit(tier.name, "down")
        return self._judge(tier, value, address, wanted)

    def _judge(self, tier: Tier, value: bytes | None, address: Address, wanted: Wanted) -> tuple[Entry | None, Visit]:
        entry = None if value is None else decode(address.key, value)
        if entry is None or not self._allows(entry, address):
            return None, Visit(tier.name, "miss")
        if not self._is_fresh(entry):
            return None if entry.by_fallback else entry, Visit(tier.name, "miss")
        if not wanted.takes(entry, self._age(entry)):
            return None, Visit(tier.name, "refused")
        return entry, Visit(tier.name, "hit", ttl=int(self._left(tier, entry)))

    def _as_stale(self, visit: Visit, entry: Entry | None, wanted: Wanted) -> Lookup | None:
        """Return a stale answer as the hit that it would be; None if there is none or the request limits the age."""
        if entry is None or wanted.max_age is not None:
            return None
        second = Visit(self.l2.name, "hit", ttl=math.floor(self._left(self.l2, entry)))
        return Lookup((visit, second), entry.answer, self._age(entry)) if -second.ttl <= self._stale_ttl else None

    def _allows(self, entry: Entry, address: Address) -> bool:
        return self.purge_marks.allows(address.namespace, address.task_type, entry.answer.started_at)

    def _is_fresh(self, entry: Entry) -> bool:
        return self._clock() < entry.expires_at and self._age(entry) < (self._l2_ttl or self._l1_ttl)

    def _left(self, tier: Tier, entry: Entry) -> float:
        lifetime = self._l2_ttl if tier is self.l2 else (self._l2_ttl or self._l1_ttl)
        completed_at = entry.answer.completed_at.timestamp()
        return min(entry.expires_at, completed_at + lifetime) - self._clock()

    def _age(self, entry: Entry) -> float:
        return max(0.0, self._clock() - entry.answer.completed_at.timestamp())

    def _store_first(self, address: Address, entry: Entry, version: Version) -> bool:
        """Store the entry in the first tier if the key still has this version; return whether it was stored."""
        kept, seconds = self._cut(entry, self._l1_ttl)
        if seconds < 1:
            return False
        try:
            return self.l1.set_if_unchanged(address.name(), encode(address.key, kept), seconds, version)
        except ServerDown:
            return False

    def _store_second(self, address: Address, entry: Entry, longer: int) -> bool:
        """Store the entry in the second tier; return False when the answer was purged meanwhile.

        `longer`: seconds for which the tier keeps it after it is no longer fresh.
        """
        kept, seconds = self._cut(entry, self._l2_ttl)
        if seconds < 1:
            return True
        started_at = entry.answer.started_at.timestamp()
        try:
            return self.l2.set_unless_buried(address.name(), encode(address.key, kept), seconds + longer, started_at)
        except ServerDown:
            return True

    def _cut(self, entry: Entry, ttl: int) -> tuple[Entry, int]:
        """Return the entry as a tier with this TTL keeps it, and its seconds there; below 1 it is not stored."""
        kept = replace(entry, expires_at=min(entry.expires_at, self._clock() + ttl))
        return kept, int(min(ttl, entry.expires_at - self._clock()))
