from dataclasses import replace
from datetime import timedelta

import pytest
from cache_world import ADDRESS, World
from examples import ANSWER, NOON

from shared.cache.entry import Entry, encode
from shared.cache.lookup import Lookup, Visit
from shared.errors import ServerDown


def test_an_empty_cache_is_a_miss_of_both_tiers(world: World) -> None:
    assert world.lookup(0) == Lookup((Visit("memcached", "miss"), Visit("redis", "miss")))


def test_a_stored_answer_comes_from_the_first_tier(filled: World) -> None:
    assert filled.lookup(10) == Lookup((Visit("memcached", "hit", ttl=290),), ANSWER, 10)


def test_another_key_is_a_miss(filled: World) -> None:
    assert filled.cache.lookup(replace(ADDRESS, key="b" * 64)).answer is None


def test_another_namespace_is_a_miss(filled: World) -> None:
    assert filled.cache.lookup(replace(ADDRESS, namespace="other")).answer is None


def test_after_its_time_in_the_first_tier_the_second_has_the_answer(filled: World) -> None:
    found = filled.lookup(300)
    assert found.visits == (Visit("memcached", "miss", stored=True), Visit("redis", "hit", ttl=3300))


def test_a_hit_of_the_second_tier_is_copied_to_the_first(filled: World) -> None:
    filled.lookup(1000)
    assert filled.lookup(1001).visits == (Visit("memcached", "hit", ttl=299),)


def test_a_copy_does_not_outlive_the_second_tier(filled: World) -> None:
    filled.lookup(3500)
    assert filled.lookup(3550).visits == (Visit("memcached", "hit", ttl=50),)
    assert filled.lookup(3600).answer is None


def test_the_whole_age_counts_for_a_copy(filled: World) -> None:
    filled.lookup(3500)
    assert filled.lookup(3550).age == 3550


def test_less_than_a_second_is_not_copied(filled: World) -> None:
    found = filled.lookup(3599.5)
    assert found.visits == (Visit("memcached", "miss"), Visit("redis", "hit", ttl=0))


def test_after_its_time_in_the_second_tier_the_answer_is_gone(filled: World) -> None:
    assert filled.lookup(3600).answer is None


def test_an_entry_that_its_server_kept_too_long_is_a_miss(world: World) -> None:
    late = encode(ADDRESS.key, Entry(ANSWER, NOON.timestamp() + 300))
    world.l1.set(ADDRESS.name(), late, 10_000)
    assert world.lookup(301).answer is None


def test_freshness_counts_from_the_completion_whatever_an_entry_claims(world: World) -> None:
    eternal = encode(ADDRESS.key, Entry(ANSWER, NOON.timestamp() + 10**9))
    world.l2.set(ADDRESS.name(), eternal, 10**9)
    assert world.lookup(3601).answer is None


def test_a_completion_in_the_future_has_no_age(filled: World) -> None:
    assert filled.lookup(-5).age == 0


def test_an_unreadable_entry_is_a_miss(world: World) -> None:
    world.l1.set(ADDRESS.name(), b"\x80\x04K\x01.", 100)
    assert world.lookup(0).visits[0] == Visit("memcached", "miss")


def test_an_answer_older_than_asked_for_is_refused_by_both_tiers(filled: World) -> None:
    found = filled.lookup(10, max_age=9)
    assert [visit.state for visit in found.visits] == ["refused", "refused"]


def test_an_answer_as_old_as_asked_for_is_served(filled: World) -> None:
    assert filled.lookup(10, max_age=10).answer == ANSWER


def test_a_newer_answer_of_the_second_tier_replaces_what_the_first_refused(filled: World) -> None:
    newer = replace(ANSWER, completed_at=NOON + timedelta(seconds=50))
    filled.at(50)
    filled.make(down="memcached").store(ADDRESS, newer)
    found = filled.lookup(60, max_age=20)
    assert (found.answer, found.visits[0]) == (newer, Visit("memcached", "refused", stored=True))


@pytest.mark.parametrize(("down", "ttl"), [("memcached", 3590), ("redis", 290)])
def test_an_answer_is_found_while_one_tier_is_down(filled: World, down: str, ttl: int) -> None:
    filled.cache = filled.make(down=down)
    assert filled.lookup(10).visits[-1].ttl == ttl


def test_nothing_is_copied_to_a_tier_that_is_down(filled: World) -> None:
    filled.cache = filled.make(down="memcached")
    assert filled.lookup(10).visits[0] == Visit("memcached", "down")


def test_two_tiers_that_are_down_are_a_miss(filled: World) -> None:
    filled.cache = filled.make(down="memcached redis")
    assert filled.lookup(10) == Lookup((Visit("memcached", "down"), Visit("redis", "down")))


@pytest.mark.parametrize(("down", "held"), [("memcached", ["redis"]), ("redis", ["memcached"])])
def test_one_tier_is_filled_while_the_other_is_down(world: World, down: str, held: list[str]) -> None:
    world.make(down=down).store(ADDRESS, ANSWER)
    assert world.held() == held


def test_storing_with_both_tiers_down_is_no_error(world: World) -> None:
    world.make(down="memcached redis").store(ADDRESS, ANSWER)
    assert world.held() == []


@pytest.mark.parametrize(("ttls", "held"), [({"l1_ttl": 0}, ["redis"]), ({"l2_ttl": 0}, ["memcached"])])
def test_a_tier_that_is_switched_off_is_not_filled(world: World, ttls: dict[str, int], held: list[str]) -> None:
    world.make(**ttls).store(ADDRESS, ANSWER)
    assert world.held() == held


def test_a_tier_that_is_switched_off_is_not_asked(filled: World) -> None:
    filled.cache = filled.make(l1_ttl=0)
    assert filled.lookup(10).visits == (Visit("memcached", "off"), Visit("redis", "hit", ttl=3590))


def test_without_the_second_tier_the_first_serves_for_its_own_time(world: World) -> None:
    world.cache = world.make(l2_ttl=0)
    world.cache.store(ADDRESS, ANSWER)
    assert world.lookup(299).visits == (Visit("memcached", "hit", ttl=1),)
    assert world.lookup(300).answer is None


def test_an_answer_from_before_a_purge_is_a_miss(filled: World) -> None:
    filled.marks.note("default", "summarization", ANSWER.started_at)
    assert filled.lookup(10).answer is None


def test_an_answer_from_before_a_purge_is_not_stored(world: World) -> None:
    world.marks.note("default", "summarization", ANSWER.completed_at)
    world.cache.store(ADDRESS, ANSWER)
    assert world.held() == []


def test_a_worker_recalls_from_the_second_tier_alone(filled: World) -> None:
    filled.l2.delete([ADDRESS.name()])
    assert filled.cache.recall(ADDRESS) is None


def test_a_worker_recalls_what_was_stored(filled: World) -> None:
    filled.l1.close()
    assert filled.cache.recall(ADDRESS) == ANSWER


def test_a_worker_does_not_recall_what_was_purged(filled: World) -> None:
    filled.marks.note("default", "summarization", NOON)
    assert filled.cache.recall(ADDRESS) is None


def test_a_key_is_purged_from_both_tiers(filled: World) -> None:
    assert filled.cache.purge_key("default", ["chat", "summarization"], ADDRESS.key) == {"redis": 1, "memcached": 1}
    assert filled.held() == []


def test_purging_an_unknown_key_finds_nothing(filled: World) -> None:
    assert filled.cache.purge_key("default", ["summarization"], "b" * 64) == {"redis": 0, "memcached": 0}


@pytest.mark.parametrize("down", ["memcached", "redis"])
def test_a_key_can_not_be_purged_while_a_tier_is_down(filled: World, down: str) -> None:
    with pytest.raises(ServerDown):
        filled.make(down=down).purge_key("default", ["summarization"], ADDRESS.key)


@pytest.mark.parametrize("down", ["memcached", "redis"])
def test_a_tier_that_is_up_forgets_the_key_while_the_other_is_down(filled: World, down: str) -> None:
    with pytest.raises(ServerDown):
        filled.make(down=down).purge_key("default", ["summarization"], ADDRESS.key)
    assert filled.held() == [down]


def test_purging_a_task_type_counts_what_the_second_tier_held(filled: World) -> None:
    assert filled.cache.purge_task_type("default", "summarization") == 1


def test_purging_a_task_type_leaves_the_others(filled: World) -> None:
    assert filled.cache.purge_task_type("default", "sentiment") == 0


def test_what_a_tier_that_is_down_held_is_unknown(filled: World) -> None:
    assert filled.make(down="redis").purge_task_type("default", "summarization") is None
