"""Both tiers as one cache: lookup, promotion, store, purge. Each tier is guarded on its own."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from shared.answer import Answer
from shared.cache.base import Tier
from shared.cache.entry import Entry, decode, encode
from shared.cache.purge_marks import PurgeMarks
from shared.errors import ServerDown

KEY_PREFIX = "askonce:answer"


class SearchableTier(Tier, Protocol):
    """A tier that can forget many keys by their common beginning."""

    def delete_matching(self, prefix: str) -> int:
        """Forget every key that starts with `prefix`; return how many there were."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What one tier had to say about a key.

    `refused`: it has an answer, but older than the request allows. `off`: it is switched off. `ttl`: whole seconds
    for which the tier would still serve the answer. `stored`: the answer of the other tier was copied here.
    """

    tier: str
    state: Literal["hit", "miss", "refused", "down", "off"]
    ttl: int = 0
    stored: bool = False


@dataclass(frozen=True, slots=True)
class Lookup:
    """A lookup's outcome; `visits` are in the order in which the tiers were asked."""

    visits: tuple[Visit, ...]
    answer: Answer | None = None
    age: float = 0.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where an answer is kept."""

    namespace: str
    task_type: str
    key: str

    def name(self) -> str:
        """Return the key under which the tiers know it."""
        return f"{KEY_PREFIX}:{self.namespace}:{self.task_type}:{self.key}"


class TieredCache:
    """Memcached in front of Redis. A tier that is down is a miss, never an error."""

    def __init__(  # noqa: PLR0913  the two tiers with a TTL each, what was purged, and the clock
        self,
        l1: Tier,
        l2: SearchableTier,
        *,
        l1_ttl: int,
        l2_ttl: int,
        purge_marks: PurgeMarks,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """TTLs in whole seconds; 0 switches a tier off."""
        self.l1, self.l2 = l1, l2
        self.purge_marks = purge_marks
        self._l1_ttl, self._l2_ttl = l1_ttl, l2_ttl
        self._clock = clock

    def lookup(self, address: Address, max_age: float | None = None) -> Lookup:
        """Ask the first tier, then the second; copy a hit of the second to the first for what is left of it."""
        entry, visit = self._ask(self.l1, self._l1_ttl, address, max_age)
        if entry is not None:
            return Lookup((visit,), entry.answer, self._age(entry))
        entry, second = self._ask(self.l2, self._l2_ttl, address, max_age)
        if entry is None:
            return Lookup((visit, second))
        if visit.state in {"miss", "refused"}:
            visit = replace(visit, stored=self._store(self.l1, self._l1_ttl, address, entry))
        return Lookup((visit, second), entry.answer, self._age(entry))

    def recall(self, address: Address) -> Answer | None:
        """Ask the second tier alone, as a worker does before it pays."""
        entry, _ = self._ask(self.l2, self._l2_ttl, address, None)
        return None if entry is None else entry.answer

    def store(self, address: Address, answer: Answer) -> None:
        """Fill the second tier, then the first; an answer from before a purge is not stored."""
        if not self.purge_marks.allows(address.namespace, address.task_type, answer.started_at):
            return
        completed_at = answer.completed_at.timestamp()
        self._store(self.l2, self._l2_ttl, address, Entry(answer, completed_at + self._l2_ttl))
        self._store(self.l1, self._l1_ttl, address, Entry(answer, completed_at + (self._l2_ttl or self._l1_ttl)))

    def purge_key(self, namespace: str, task_types: list[str], key: str) -> dict[str, int]:
        """Forget a key, whatever its task type; return by tier how many entries there were.

        Raises ServerDown when a tier may still hold it; the other one has forgotten it all the same.
        """
        names = [Address(namespace, task_type, key).name() for task_type in task_types]
        found: dict[str, int] = {}
        down: list[str] = []
        for tier in (self.l2, self.l1):
            try:
                found[tier.name] = tier.delete(names)
            except ServerDown:
                down.append(tier.name)
        if down:
            raise ServerDown(", ".join(down))
        return found

    def purge_task_type(self, namespace: str, task_type: str) -> int | None:
        """Forget what the second tier holds of a task type and say how much; None when it is down.

        This only frees memory: what makes the answers misses is the purge mark.
        """
        try:
            return self.l2.delete_matching(f"{KEY_PREFIX}:{namespace}:{task_type}:")
        except ServerDown:
            return None

    def _ask(self, tier: Tier, ttl: int, address: Address, max_age: float | None) -> tuple[Entry | None, Visit]:
        if ttl == 0:
            return None, Visit(tier.name, "off")
        try:
            value = tier.get(address.name())
        except ServerDown:
            return None, Visit(tier.name, "down")
        entry = None if value is None else decode(address.key, value)
        if entry is None or not self._is_fresh(entry, address):
            return None, Visit(tier.name, "miss")
        if max_age is not None and self._age(entry) > max_age:
            return None, Visit(tier.name, "refused")
        return entry, Visit(tier.name, "hit", ttl=int(self._left(tier, entry)))

    def _is_fresh(self, entry: Entry, address: Address) -> bool:
        allowed = self.purge_marks.allows(address.namespace, address.task_type, entry.answer.started_at)
        return allowed and self._clock() < entry.expires_at and self._age(entry) < (self._l2_ttl or self._l1_ttl)

    def _left(self, tier: Tier, entry: Entry) -> float:
        lifetime = self._l2_ttl if tier is self.l2 else (self._l2_ttl or self._l1_ttl)
        completed_at = entry.answer.completed_at.timestamp()
        return min(entry.expires_at, completed_at + lifetime) - self._clock()

    def _age(self, entry: Entry) -> float:
        return max(0.0, self._clock() - entry.answer.completed_at.timestamp())

    def _store(self, tier: Tier, ttl: int, address: Address, entry: Entry) -> bool:
        """Store for the tier's TTL or what is left of the entry, whichever is less; below one second not at all."""
        seconds = int(min(ttl, entry.expires_at - self._clock()))
        if seconds < 1:
            return False
        kept = replace(entry, expires_at=min(entry.expires_at, self._clock() + ttl))
        try:
            tier.set(address.name(), encode(address.key, kept), seconds)
        except ServerDown:
            return False
        return True
