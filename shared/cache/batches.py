"""Many answers at once: looked up, copied to the first tier and stored in few round trips.

The rules are those of one answer (`shared/cache/tiered.py`). Many keys are asked for in portions, so that no call to a
server takes long, and a tier that goes down in between is asked no more.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from shared.cache.entry import ANY, Entry, Wanted, decode, with_expiry
from shared.cache.freshness import Freshness
from shared.cache.lookup import FIRST, SECOND, Address, Lookup, Visit
from shared.cache.tier import FirstBatchTier, SecondBatchTier, Version
from shared.cache.tombstones import buried_at
from shared.domain.answer import Answer
from shared.errors import ServerDown

PORTION = 64
"""Keys in one call: with vectors of 4096 numbers their values have 1.4 MB."""

T = TypeVar("T")


class BatchLookup(NamedTuple):
    """The answers that were found, by key. `lookup`: what each tier had of those that it was asked for, together."""

    answers: Mapping[str, Answer]
    lookup: Lookup


class BatchCache:
    """memcached in front of Redis, for many answers at once. A tier that is down is a miss, never an error."""

    def __init__(self, l1: FirstBatchTier, l2: SecondBatchTier, freshness: Freshness) -> None:
        """Share the tiers with others; who opened them closes them. `freshness`: without stale answers."""
        self._l1, self._l2 = l1, l2
        self.freshness = freshness

    @property
    def kept_seconds(self) -> int:
        """The longest time, in seconds, that a tier holds an answer."""
        return self.freshness.kept_seconds

    def lookup(self, addresses: Sequence[Address], wanted: Wanted = ANY) -> BatchLookup:
        """Ask the first tier, then the second for the rest. What the second has is copied to the first."""
        first, versions = self._ask_first(addresses, wanted)
        rest = [address for address in addresses if address.key not in first.entries]
        visits = [first.visit(len(addresses))]
        found = dict(first.entries)
        if rest:
            second = self._ask_second(rest, wanted)
            visits.append(second.visit(len(rest)))
            found |= second.entries
            if not first.is_down:
                self._copy([each for each in rest if each.name() not in versions], second)
        oldest = max(map(self.freshness.age, found.values()), default=0.0)
        answers = {key: entry.answer for key, entry in found.items()}
        return BatchLookup(answers, Lookup(tuple(visits), age=oldest))

    def recall(self, addresses: Sequence[Address]) -> Mapping[str, Answer]:
        """Return the fresh answers of the second tier, by key. A worker calls this before it pays a provider."""
        return {key: entry.answer for key, entry in self._ask_second(addresses, ANY).entries.items()}

    def store(self, answers: Mapping[Address, Answer]) -> bool:
        """Store in the second tier, then in the first; return whether the second holds all of them now.

        All are of one namespace and task type, and of one job. From before a purge they are not stored.
        """
        if not all(self._is_allowed(address, answer) for address, answer in answers.items()):
            return False
        held, is_up = self._read_first(list(answers))
        kept, whole = self._store_second(answers)
        if is_up:
            self._store_first(kept, held)
        return whole

    def _ask_first(
        self, addresses: Sequence[Address], wanted: Wanted
    ) -> "tuple[_Found, Mapping[str, tuple[bytes, Version]]]":
        found = _Found(FIRST, is_off=not self.freshness.l1_ttl)
        held, is_up = self._read_first(addresses)
        found.is_down = not is_up
        for address in addresses:
            if address.name() in held:
                self._judge(found, address, held[address.name()][0], wanted)
        return found, held

    def _ask_second(self, addresses: Sequence[Address], wanted: Wanted) -> "_Found":
        found = _Found(SECOND, is_off=not self.freshness.l2_ttl)
        for portion in portions(addresses) if not found.is_off else ():
            try:
                values = self._l2.get_many([address.name() for address in portion])
            except ServerDown:
                found.is_down = True
                break
            for address in portion:
                if address.name() in values:
                    self._judge(found, address, values[address.name()], wanted)
        return found

    def _judge(self, found: "_Found", address: Address, value: bytes, wanted: Wanted) -> None:
        entry, visit = self.freshness.judge(found.tier, decode(address.key, value), address, wanted)
        if visit.state == "hit" and entry is not None:
            found.entries[address.key] = entry
            found.values[address.key] = value
            found.ttls.append(visit.ttl)
        elif visit.state == "refused":
            found.is_refused = True

    def _read_first(self, addresses: Sequence[Address]) -> tuple[Mapping[str, tuple[bytes, Version]], bool]:
        """Return what the first tier holds, with versions, and whether the tier is up."""
        held: dict[str, tuple[bytes, Version]] = {}
        if not self.freshness.l1_ttl:
            return held, False
        try:
            for portion in portions(addresses):
                held |= self._l1.get_many_versioned([address.name() for address in portion])
        except ServerDown:
            return held, False
        return held, True

    def _copy(self, absent: Iterable[Address], second: "_Found") -> None:
        """Copy to the first tier what it did not have; a tombstone that was set meanwhile stays."""
        wanted = {address: second.entries[address.key] for address in absent if address.key in second.entries}
        self._add(
            {address.name(): self._for_first(address, e, second.values[address.key]) for address, e in wanted.items()}
        )

    def _for_first(self, address: Address, entry: Entry, value: bytes = b"") -> bytes:
        until, _ = self.freshness.expiry(entry, self.freshness.l1_ttl)
        return with_expiry(value, address.key, entry, until)

    def _add(self, values: Mapping[str, bytes]) -> None:
        try:
            for portion in portions(list(values)):
                self._l1.add_many({key: values[key] for key in portion}, self.freshness.l1_ttl)
        except ServerDown:
            return

    def _store_second(self, answers: Mapping[Address, Answer]) -> tuple[Mapping[Address, Entry], bool]:
        """Return the entries that were not purged meanwhile, and whether the second tier holds all."""
        freshness = self.freshness
        entries = {
            address: Entry(answer, answer.completed_at.timestamp() + freshness.lifetime)
            for address, answer in answers.items()
        }
        kept: dict[Address, Entry] = {}
        whole = bool(freshness.l2_ttl)
        for portion in portions(list(entries)):
            values = {each.name(): self._for_second(each, entries[each]) for each in portion}
            stored = self._set_second(values, answers[portion[0]]) if whole else None
            whole = whole and stored is not None and len(stored) == len(portion)
            kept |= {each: entries[each] for each in portion if stored is None or each.name() in stored}
        return kept, whole

    def _for_second(self, address: Address, entry: Entry) -> bytes:
        until, _ = self.freshness.expiry(entry, self.freshness.l2_ttl)
        return with_expiry(b"", address.key, entry, until)

    def _set_second(self, values: Mapping[str, bytes], made: Answer) -> frozenset[str] | None:
        """Return the keys that were stored; None if the tier is down."""
        seconds = int(made.completed_at.timestamp() + self.freshness.l2_ttl - self.freshness.clock())
        if seconds < 1:
            return None
        try:
            return self._l2.set_many_unless_buried(values, seconds, made.started_at.timestamp())
        except ServerDown:
            return None

    def _store_first(self, entries: Mapping[Address, Entry], held: Mapping[str, tuple[bytes, Version]]) -> None:
        values = {each.name(): self._for_first(each, entry) for each, entry in entries.items()}
        self._add({name: value for name, value in values.items() if name not in held})
        started = {each.name(): entry.answer.started_at.timestamp() for each, entry in entries.items()}
        try:
            for name in values.keys() & held.keys():
                value, version = held[name]
                buried = buried_at(value)
                if buried is None or buried < started[name]:
                    self._l1.set_if_unchanged(name, values[name], self.freshness.l1_ttl, version)
        except ServerDown:
            return

    def _is_allowed(self, address: Address, answer: Answer) -> bool:
        return self.freshness.purge_marks.allows(address.namespace, address.task_type, answer.started_at)


class _Found:
    """What one tier had, in the course of a lookup. `values`: what the entries were decoded from."""

    def __init__(self, tier: str, *, is_off: bool) -> None:
        self.tier = tier
        self.is_off = is_off
        self.is_down = self.is_refused = False
        self.entries: dict[str, Entry] = {}
        self.values: dict[str, bytes] = {}
        self.ttls: list[int] = []

    def visit(self, asked: int) -> Visit:
        """Return it as one visit of the tier. `asked`: how many answers were asked for."""
        if self.is_off:
            return Visit(self.tier, "off")
        if self.entries:
            return Visit(self.tier, "hit" if len(self.entries) == asked else "partial", min(self.ttls))
        if self.is_down:
            return Visit(self.tier, "down")
        return Visit(self.tier, "refused" if self.is_refused else "miss")


def portions(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Return the items in portions, of as many keys as one call to a server takes."""
    return (items[start : start + PORTION] for start in range(0, len(items), PORTION))
