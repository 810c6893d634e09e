from dataclasses import replace
from datetime import timedelta

import pytest
from cache_world import ADDRESS, World
from examples import ANSWER, NOON

from shared.cache.lookup import Address, Lookup, Visit
from shared.errors import ServerDown

OTHER_URL, CONTENT = Address("default", "summarization", "b" * 64), Address("default", "summarization", "c" * 64)


def test_a_copy_that_was_on_its_way_does_not_come_back(filled: World) -> None:
    filled.l1.delete([ADDRESS.name()])
    version = filled.l1.get_versioned(ADDRESS.name())[1]
    filled.cache.purge_key("default", ["summarization"], ADDRESS.key)
    assert not filled.l1.set_if_unchanged(ADDRESS.name(), b"old", 300, version)


@pytest.mark.parametrize("broken", [b"purged ", b"purged yesterday", b"purged \xff"])
def test_what_only_looks_like_a_tombstone_keeps_no_answer_out(filled: World, broken: bytes) -> None:
    for tier in (filled.l1, filled.l2):
        tier.set(ADDRESS.name(), broken, 300)
    filled.cache.store(ADDRESS, ANSWER)
    assert filled.held() == ["memcached", "redis"]


def test_an_answer_of_a_job_that_started_before_the_purge_is_not_stored_in_its_place(filled: World) -> None:
    filled.at(1)
    filled.cache.purge_key("default", ["summarization"], ADDRESS.key)
    filled.cache.store(ADDRESS, ANSWER)
    assert filled.held() == []


def test_the_first_tier_keeps_an_old_answer_out_while_the_second_is_down(filled: World) -> None:
    filled.at(1)
    filled.cache.purge_key("default", ["summarization"], ADDRESS.key)
    filled.make(down="redis").store(ADDRESS, ANSWER)
    assert filled.held() == []


def test_an_answer_of_a_job_that_started_after_the_purge_takes_the_place_of_the_tombstone(filled: World) -> None:
    filled.at(1)
    filled.cache.purge_key("default", ["summarization"], ADDRESS.key)
    newer = replace(ANSWER, started_at=NOON + timedelta(seconds=2), completed_at=NOON + timedelta(seconds=3))
    filled.at(3)
    filled.cache.store(ADDRESS, newer)
    assert filled.held() == ["memcached", "redis"]
    assert filled.lookup(4).answer == newer


def test_a_newer_answer_is_copied_over_the_tombstone_of_an_older_one(filled: World) -> None:
    filled.at(1)
    filled.cache.purge_key("default", ["summarization"], ADDRESS.key)
    newer = replace(ANSWER, started_at=NOON + timedelta(seconds=2), completed_at=NOON + timedelta(seconds=3))
    filled.at(3)
    filled.make(down="memcached").store(ADDRESS, newer)
    assert filled.lookup(4).visits[0] == Visit("memcached", "miss", stored=True)


def test_a_tombstone_is_no_answer(filled: World) -> None:
    filled.cache.purge_key("default", ["summarization"], ADDRESS.key)
    assert filled.lookup(10) == Lookup((Visit("memcached", "miss"), Visit("redis", "miss")))


def test_a_tombstone_is_not_counted_when_it_is_purged_again(filled: World) -> None:
    filled.cache.purge_key("default", ["summarization"], ADDRESS.key)
    assert filled.cache.purge_key("default", ["summarization"], ADDRESS.key) == {"redis": 0, "memcached": 0}


def test_nothing_is_buried_where_nothing_was(world: World) -> None:
    world.cache.purge_key("default", ["summarization"], ADDRESS.key)
    assert (world.l1.get(ADDRESS.name()), world.l2.get(ADDRESS.name())) == (None, None)


def test_a_purge_that_is_repeated_buries_in_the_first_tier_what_the_second_has_buried_already(filled: World) -> None:
    filled.l1.delete([ADDRESS.name()])
    version = filled.l1.get_versioned(ADDRESS.name())[1]
    with pytest.raises(ServerDown):
        filled.make(down="memcached").purge_key("default", ["summarization"], ADDRESS.key)
    filled.cache.purge_key("default", ["summarization"], ADDRESS.key)
    assert not filled.l1.set_if_unchanged(ADDRESS.name(), b"old", 300, version)


def held_under(address: Address, world: World) -> bool:
    return world.cache.lookup(address).answer is not None


@pytest.fixture
def linked(world: World) -> World:
    """One answer under three keys: the picture's own, and those of two URLs."""
    world.cache.store_under([ADDRESS, CONTENT], ANSWER)
    world.cache.store_under([OTHER_URL, CONTENT], ANSWER)
    return world


@pytest.mark.parametrize("purged", [ADDRESS, OTHER_URL, CONTENT])
def test_a_purge_of_one_key_voids_the_answer_under_all_its_keys(linked: World, purged: Address) -> None:
    linked.cache.purge_key("default", ["summarization"], purged.key)
    assert not any(held_under(address, linked) for address in (ADDRESS, OTHER_URL, CONTENT))


def test_an_answer_that_is_purged_while_it_is_stored_is_not_stored_under_its_other_keys(linked: World) -> None:
    linked.l2.delete([CONTENT.name()])
    linked.at(1)
    linked.cache.purge_key("default", ["summarization"], ADDRESS.key)
    linked.cache.store(CONTENT, ANSWER)
    assert not held_under(CONTENT, linked)


def test_an_answer_is_stored_under_the_jobs_own_key_only_while_the_second_tier_is_down(world: World) -> None:
    world.make(down="redis").store_under([ADDRESS, CONTENT], ANSWER)
    assert (held_under(ADDRESS, world), held_under(CONTENT, world)) == (True, False)
