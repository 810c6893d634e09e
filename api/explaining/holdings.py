"""What each tier holds for a request, and what a lookup makes of it. Only looks: nothing is copied between tiers."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from api.bootstrap import ApiServices
from shared.cache.batches import portions
from shared.cache.entry import Entry, Wanted, decode
from shared.cache.freshness import Freshness
from shared.cache.lookup import FIRST, SECOND, Address, Lookup
from shared.cache.steps import CopyToFirst, ReadFirst, ReadSecond, Step, lookup_steps
from shared.cache.tier import Version
from shared.cache.tombstones import buried_at
from shared.errors import ServerDown

Rule = Literal[
    "fresh", "max_age", "fallback", "purged", "expired", "unreadable", "absent", "down", "off", "purges_unknown"
]
Read = bytes | None | ServerDown
"""What a tier answered: a value, None for none, or the error if it is down."""


class Holding(NamedTuple):
    """What one tier has, and the rule by which a request gets it or not. `ttl`: whole seconds, below 0 if past it.

    `fresh`: it is served. `max_age`, `fallback`: it is older than the request allows, or of a model that the request
    does not allow. `purged`, `expired`, `unreadable`: it is not served to anybody, unless as a stale answer. `absent`:
    there is none. `down`, `off`: the tier does not answer, or is switched off. `purges_unknown`: this process has not
    read yet what was purged.
    """

    tier: str
    rule: Rule
    entry: Entry | None = None
    age: float = 0.0
    ttl: int = 0


class Examination(NamedTuple):
    """What both tiers hold, the first one first, and the lookup that a call would make; its `stored` is never set."""

    holdings: tuple[Holding, ...]
    lookup: Lookup


def examine(address: Address, wanted: Wanted, services: ApiServices) -> Examination:
    """Look into both tiers, each once."""
    cache, name = services.cache, address.name()
    freshness = cache.freshness
    first = _read(lambda: cache.l1.get(name)) if freshness.l1_ttl else None
    second = _read(lambda: cache.l2.get(name)) if freshness.l2_ttl else None
    holdings = _holdings(first, second, address, wanted, freshness)
    return Examination(holdings, _lookup(address, wanted, freshness, first, second))


def examine_vectors(
    addresses: Sequence[Address], wanted: Wanted, services: ApiServices
) -> Iterator[tuple[Address, tuple[Holding, Holding]]]:
    """Look for vectors in both tiers, in few round trips; yield what these hold of each, the first tier first."""
    freshness, l1, l2 = services.embeddings.freshness, services.cache.l1, services.cache.l2
    for some in portions(addresses):
        names = [each.name() for each in some]
        first = _read_many(names, lambda names: _values(l1.get_many_versioned(names))) if freshness.l1_ttl else {}
        second = _read_many(names, l2.get_many) if freshness.l2_ttl else {}
        for each in some:
            yield each, _holdings(first.get(each.name()), second.get(each.name()), each, wanted, freshness)


def _holdings(
    first: Read, second: Read, address: Address, wanted: Wanted, freshness: Freshness
) -> tuple[Holding, Holding]:
    return (
        _holding(FIRST, first, address, wanted, freshness) if freshness.l1_ttl else Holding(FIRST, "off"),
        _holding(SECOND, second, address, wanted, freshness) if freshness.l2_ttl else Holding(SECOND, "off"),
    )


def _read_many(names: list[str], get: Callable[[list[str]], Mapping[str, bytes]]) -> Mapping[str, Read]:
    try:
        found = get(names)
    except ServerDown as err:
        return dict.fromkeys(names, err)
    return {name: found.get(name) for name in names}


def _values(versioned: Mapping[str, tuple[bytes, Version]]) -> Mapping[str, bytes]:
    return {name: value for name, (value, _) in versioned.items()}


def _read(get: Callable[[], bytes | None]) -> Read:
    try:
        return get()
    except ServerDown as err:
        return err


def _lookup(address: Address, wanted: Wanted, freshness: Freshness, first: Read, second: Read) -> Lookup:
    """Take the steps of a lookup with what was read already, but for the one that copies."""
    steps = lookup_steps(address, wanted, freshness, decode)
    try:
        step = next(steps)
        while True:
            found = _result(step, first, second)
            step = steps.throw(found) if isinstance(found, ServerDown) else steps.send(found)
    except StopIteration as end:
        lookup: Lookup = end.value
        return lookup


def _result(step: Step, first: Read, second: Read) -> object:
    match step:
        case ReadFirst():
            return first if isinstance(first, ServerDown) else (first, None)
        case ReadSecond():
            return second
        case CopyToFirst():
            return False


def _holding(tier: str, read: Read, address: Address, wanted: Wanted, freshness: Freshness) -> Holding:
    if isinstance(read, ServerDown):
        return Holding(tier, "down")
    if read is None:
        return Holding(tier, "absent")
    if buried_at(read) is not None:
        return Holding(tier, "purged")
    entry = decode(address.key, read)
    if entry is None:
        return Holding(tier, "unreadable")
    _, visit = freshness.judge(tier, entry, address, wanted)
    age, left = freshness.age(entry), math.floor(freshness.left(tier, entry))
    if visit.state == "hit":
        return Holding(tier, "fresh", entry, age, visit.ttl)
    return Holding(tier, _refused_by(visit.state, entry, address, wanted, freshness), entry, age, left)


def _refused_by(state: str, entry: Entry, address: Address, wanted: Wanted, freshness: Freshness) -> Rule:
    """Return the rule by which `judge` has refused an entry."""
    if not freshness.purge_marks.loaded:
        return "purges_unknown"
    if not freshness.is_allowed(entry, address):
        return "purged"
    if state == "miss":
        return "expired"
    of_any_age = wanted._replace(max_age=None)
    return "max_age" if of_any_age.takes(entry, freshness.age(entry)) else "fallback"
