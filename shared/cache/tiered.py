"""Both tiers as one cache: look up, copy to the first tier, store, purge. A failing tier does not affect the other."""

import time
from collections.abc import Callable, Collection, Generator, Sequence
from typing import Any, Generic, TypeVar

from shared.cache.entry import ANY, Entry, Wanted, decode, with_expiry
from shared.cache.freshness import Freshness
from shared.cache.inventory import weigh
from shared.cache.lookup import KEY_PREFIX, Address, Lookup
from shared.cache.purges import PurgeMarks
from shared.cache.steps import (
    CopyToFirst,
    Note,
    ReadFirst,
    ReadSecond,
    Step,
    copy_steps,
    lookup_steps,
    noted,
    second_steps,
)
from shared.cache.tier import FirstTier, SecondTier, Version, Weight
from shared.cache.tombstones import buried_at, bury
from shared.domain.answer import Answer
from shared.domain.routes import Route
from shared.errors import ServerDown

T = TypeVar("T")
First = TypeVar("First", bound=FirstTier)
Second = TypeVar("Second", bound=SecondTier)


class TieredCache(Generic[First, Second]):
    """memcached in front of Redis. A tier that is down is a miss, never an error."""

    def __init__(  # noqa: PLR0913  the two tiers with a TTL each, the other times, what was purged, and the clock
        self,
        l1: First,
        l2: Second,
        *,
        l1_ttl: int,
        l2_ttl: int,
        purge_marks: PurgeMarks,
        fallback_ttl: int = 60,
        stale_ttl: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take the times of `Freshness`."""
        self.l1, self.l2 = l1, l2
        self.purge_marks = purge_marks
        self.freshness = Freshness(
            l1_ttl=l1_ttl,
            l2_ttl=l2_ttl,
            purge_marks=purge_marks,
            fallback_ttl=fallback_ttl,
            stale_ttl=stale_ttl,
            clock=clock,
        )

    def close(self) -> None:
        """Close both tiers."""
        self.l1.close()
        self.l2.close()

    @property
    def kept_seconds(self) -> int:
        """The longest time, in seconds, that a tier holds an answer."""
        return self.freshness.kept_seconds

    def lookup(self, address: Address, wanted: Wanted = ANY, note: Note | None = None) -> Lookup:
        """Ask the first tier, then the second. A hit of the second is copied to the first for its remaining time."""
        steps = lookup_steps(address, wanted, self.freshness, decode)
        return self._run(steps if note is None else noted(steps, note))

    def holds_nothing(self, addresses: Sequence[Address]) -> bool:
        """Return whether it is certain that no tier has a value at any of these addresses, whatever that is worth."""
        names = [address.name() for address in addresses]
        tiers = ((self.l2, self.freshness.l2_ttl), (self.l1, self.freshness.l1_ttl))
        try:
            return not any(ttl and tier.holds_any(names) for tier, ttl in tiers)
        except ServerDown:
            return False

    def recall(self, address: Address, fallbacks: Collection[Route] | None = None) -> Answer | None:
        """Return a fresh answer of the second tier, else None. A worker calls this before it pays a provider.

        `fallbacks`: see `Wanted`.
        """
        entry, visit, _ = self._run(second_steps(address, Wanted(None, fallbacks), self.freshness, decode))
        return entry.answer if entry is not None and visit.state == "hit" else None

    def recall_stale(self, address: Address, seconds: float) -> Answer | None:
        """Return the second tier's answer if it is stale by at most this many seconds, else None."""
        wanted = Wanted(None, fallbacks=())
        entry, _, _ = self._run(second_steps(address, wanted, self.freshness, decode))
        return entry.answer if entry is not None and -self.freshness.left(self.l2.name, entry) <= seconds else None

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
        freshness = self.freshness
        if not self.purge_marks.allows(address.namespace, address.task_type, answer.started_at):
            return
        fresh = min(freshness.lifetime, freshness.fallback_ttl) if by_fallback else freshness.lifetime
        entry = Entry(answer, answer.completed_at.timestamp() + fresh, by_fallback)
        held, version, is_up = self._look_into_first(address)
        if not self._store_second(address, entry, longer=0 if by_fallback else freshness.stale_ttl):
            return
        buried = buried_at(held)
        if is_up and (buried is None or buried < answer.started_at.timestamp()):
            self._run(copy_steps(address, entry, version, freshness))

    def purge_key(self, namespace: str, task_types: list[str], key: str) -> dict[str, int]:
        """Delete a key under every task type, and keys that hold the same answer; return by tier how many there were.

        Afterwards nobody can store an answer that was read before, or whose job started before. Raises ServerDown when
        a tier may still hold the answer; the other tier has deleted it nevertheless.
        """
        names = [Address(namespace, task_type, key).name() for task_type in task_types]
        return bury(self.l1, self.l2, names, self.freshness.clock())

    def purge_task_type(self, namespace: str, task_type: str) -> int | None:
        """Delete all answers of a task type in the second tier; return how many, None when the tier is down.

        This only frees memory: the purge mark is what makes these answers misses.
        """
        try:
            return self.l2.delete_matching(f"{KEY_PREFIX}:{namespace}:{task_type}:")
        except ServerDown:
            return None

    def weigh_key(self, namespace: str, task_types: list[str], key: str) -> dict[str, Weight]:
        """Return, by tier, what `purge_key` would delete. Raises ServerDown."""
        return weigh(self.l1, self.l2, [Address(namespace, task_type, key).name() for task_type in task_types])

    def weigh_task_type(self, namespace: str, task_type: str) -> Weight | None:
        """Return what `purge_task_type` would delete in the second tier, None when the tier is down."""
        try:
            return self.l2.weigh_matching(f"{KEY_PREFIX}:{namespace}:{task_type}:")
        except ServerDown:
            return None

    def _run(self, steps: Generator[Step, Any, T]) -> T:
        """Take the steps with the blocking clients; return what they come to."""
        try:
            step = next(steps)
            while True:
                try:
                    result = self._take(step)
                except ServerDown as err:
                    step = steps.throw(err)
                else:
                    step = steps.send(result)
        except StopIteration as end:
            found: T = end.value
            return found

    def _take(self, step: Step) -> object:
        match step:
            case ReadFirst(key):
                return self.l1.get_versioned(key)
            case ReadSecond(key):
                return self.l2.get(key)
            case CopyToFirst(key, value, seconds, version):
                return self.l1.set_if_unchanged(key, value, seconds, version)

    def _look_into_first(self, address: Address) -> tuple[bytes | None, Version, bool]:
        """Return what the first tier holds, its version, and whether the tier is up."""
        if not self.freshness.l1_ttl:
            return None, None, False
        try:
            return *self.l1.get_versioned(address.name()), True
        except ServerDown:
            return None, None, False

    def _store_second(self, address: Address, entry: Entry, longer: int) -> bool:
        """Store the entry in the second tier; return False when the answer was purged meanwhile.

        `longer`: seconds for which the tier keeps it after it is no longer fresh.
        """
        until, seconds = self.freshness.expiry(entry, self.freshness.l2_ttl)
        if seconds < 1:
            return True
        started_at = entry.answer.started_at.timestamp()
        try:
            value = with_expiry(b"", address.key, entry, until)
            return self.l2.set_unless_buried(address.name(), value, seconds + longer, started_at)
        except ServerDown:
            return True
