"""Many answers at once, on real servers."""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from local.servers.memcached import MemcachedServer
from local.servers.valkey import Valkey
from local.supervisor.base import Service
from shared.cache.batches import PORTION, BatchCache
from shared.cache.entry import Wanted
from shared.cache.freshness import Freshness
from shared.cache.lookup import Address
from shared.cache.memcached import MemcachedTier
from shared.cache.redis import RedisTier
from shared.cache.tombstones import buried_at, tombstone
from shared.domain.answer import Answer
from shared.environment.addresses import host_port
from shared.redis import connect
from shared.times import now
from tests.installation import Installation
from tests.integration.asking import an_answer
from tests.integration.outages import frozen

MANY = 2 * PORTION + 3


@pytest.fixture
def cache(installation: Installation) -> BatchCache:
    return installation.services.embeddings


def addresses(count: int) -> list[Address]:
    return [Address("default", "embedding", uuid.uuid4().hex * 2) for _ in range(count)]


def answers(where: Sequence[Address]) -> dict[Address, Answer]:
    """Return an answer of one job for each address."""
    made = replace(an_answer(), task_type="embedding")
    return {each: replace(made, result={"embedding": each.key}) for each in where}


def states(cache: BatchCache, where: Sequence[Address], max_age: float | None = None) -> list[tuple[str, str]]:
    return [(visit.tier, visit.state) for visit in cache.lookup(where, Wanted(max_age, ())).lookup.visits]


def names(where: Sequence[Address]) -> list[str]:
    return [each.name() for each in where]


def test_all_are_stored_and_found_in_the_first_tier(cache: BatchCache) -> None:
    where = addresses(MANY)
    made = answers(where)
    assert cache.store(made)
    found = cache.lookup(where)
    assert found.answers == {address.key: answer for address, answer in made.items()}
    assert [(visit.tier, visit.state) for visit in found.lookup.visits] == [("memcached", "hit")]
    assert cache.recall(where) == found.answers


def test_what_the_first_tier_has_lost_comes_from_the_second_and_is_copied(
    cache: BatchCache, installation: Installation
) -> None:
    where = addresses(MANY)
    cache.store(answers(where))
    installation.services.cache.l1.delete(names(where[:PORTION]))
    assert states(cache, where) == [("memcached", "partial"), ("redis", "hit")]
    assert states(cache, where) == [("memcached", "hit")]


def test_what_neither_has_is_missing(cache: BatchCache) -> None:
    known, unknown = addresses(2), addresses(1)
    cache.store(answers(known))
    found = cache.lookup([*known, *unknown])
    assert found.answers.keys() == {each.key for each in known}
    assert [visit.state for visit in found.lookup.visits] == ["partial", "miss"]
    assert states(cache, unknown) == [("memcached", "miss"), ("redis", "miss")]


def test_the_age_is_that_of_the_oldest_and_older_ones_are_refused(cache: BatchCache) -> None:
    (old, new) = addresses(2)
    cache.store({old: an_answer(now() - timedelta(seconds=100))})
    cache.store({new: an_answer()})
    assert 100 <= cache.lookup([old, new]).lookup.age < 103
    assert states(cache, [old], 50) == [("memcached", "refused"), ("redis", "refused")]


def test_none_is_stored_or_served_from_before_a_purge_of_its_task_type(
    cache: BatchCache, installation: Installation
) -> None:
    where = addresses(2)
    made = answers(where)
    cache.store(made)
    installation.services.cache.purge_marks.note("default", "embedding", now())
    assert cache.lookup(where).answers == {}
    assert not cache.store(made)


@pytest.mark.parametrize("buried_in", ["l1", "l2"])
def test_where_one_tier_has_a_tombstone_the_first_gets_no_answer(
    cache: BatchCache, installation: Installation, buried_in: str
) -> None:
    where = addresses(2)
    tiers = installation.services.cache
    getattr(tiers, buried_in).set(where[0].name(), tombstone(time.time() + 60), 60)
    assert cache.store(answers(where)) == (buried_in == "l1")
    first = [tiers.l1.get(name) for name in names(where)]
    assert [value is not None and buried_at(value) is None for value in first] == [False, True]


def test_a_tombstone_that_only_the_first_tier_has_is_not_overwritten_by_a_copy(
    cache: BatchCache, installation: Installation
) -> None:
    where = addresses(1)
    cache.store(answers(where))
    buried = tombstone(time.time())
    installation.services.cache.l1.set(where[0].name(), buried, 60)
    cache.lookup(where)
    assert installation.services.cache.l1.get(where[0].name()) == buried


def test_a_newer_answer_replaces_an_older_one_in_both_tiers(cache: BatchCache) -> None:
    where = addresses(2)
    cache.store(answers(where))
    newer = answers(where)
    assert cache.store(newer)
    expected = {address.key: answer for address, answer in newer.items()}
    assert (cache.lookup(where).answers, cache.recall(where)) == (expected, expected)


def test_a_frozen_tier_is_a_miss_and_the_other_one_serves(
    own: Callable[[type[Service]], Service], installation: Installation
) -> None:
    servers = own(MemcachedServer), own(Valkey)
    assert isinstance(servers[1], Valkey)
    l1 = MemcachedTier((host_port(servers[0].address or "", None),))
    l2 = RedisTier(connect(servers[1].url()))
    marks = installation.services.cache.purge_marks
    cache = BatchCache(l1, l2, Freshness(l1_ttl=60, l2_ttl=60, purge_marks=marks))
    where = addresses(3)
    made = answers(where)
    assert cache.store(made)
    with frozen(servers[0]):
        assert states(cache, where) == [("memcached", "down"), ("redis", "hit")]
    with frozen(servers[1]):
        assert not cache.store(answers(addresses(2)))
    l1.close()
    l2.close()


def test_a_second_tier_that_is_switched_off_keeps_nothing(installation: Installation) -> None:
    cache = installation.open_services(installation.configure(EMBEDDING_TTL_SECONDS="0")).embeddings
    where = addresses(2)
    assert not cache.store(answers(where))
    assert installation.services.cache.l2.get(where[0].name()) is None
    assert states(cache, where) == [("memcached", "hit")]
