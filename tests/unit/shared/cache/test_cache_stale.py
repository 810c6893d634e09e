"""What the tiers hold beyond its freshness, and what fallback models said."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cache_world import ADDRESS, World
from examples import ANSWER, NOON

from shared.cache.lookup import Lookup, Visit
from shared.domain.routes import Route

L1, L2, FALLBACK, STALE = 300, 3600, 60, 1000
OTHER = replace(ANSWER, model="openai/gpt-oss-120b")


@pytest.fixture
def world() -> World:
    return World(STALE)


@pytest.fixture
def by_fallback(world: World) -> World:
    world.cache.store(ADDRESS, OTHER, by_fallback=True)
    return world


def test_a_stale_answer_is_a_miss_that_says_what_it_could_be(filled: World) -> None:
    found = filled.lookup(L2 + 412)
    assert found.visits == (Visit("memcached", "miss"), Visit("redis", "miss"))
    assert found.answer is None
    assert found.stale == Lookup((Visit("memcached", "miss"), Visit("redis", "hit", ttl=-412)), ANSWER, L2 + 412)


@pytest.mark.parametrize("overdue", [0, 0.25])
def test_a_stale_answers_ttl_is_never_that_of_a_fresh_one(filled: World, overdue: float) -> None:
    found = filled.lookup(L2 + overdue)
    assert found.answer is None
    assert found.stale is not None
    assert found.stale.visits[-1].ttl == (0 if overdue == 0 else -1)


def test_a_fresh_answer_is_not_stale(filled: World) -> None:
    assert filled.lookup(L2 - 1).stale is None


def test_a_stale_answer_is_never_copied_to_the_first_tier(filled: World) -> None:
    filled.lookup(L2 + 1)
    assert filled.l1.get(ADDRESS.name()) is None


@pytest.mark.parametrize(("seconds", "found"), [(L2 + STALE - 1, True), (L2 + STALE + 1, False)])
def test_it_is_kept_for_so_long(filled: World, seconds: float, found: bool) -> None:  # noqa: FBT001  an example
    assert (filled.lookup(seconds).stale is not None) is found


def test_none_is_kept_unless_that_is_wanted() -> None:
    world = World(stale_ttl=0)
    world.cache.store(ADDRESS, ANSWER)
    assert world.lookup(L2 + 1).stale is None


def test_what_was_kept_for_longer_than_is_allowed_now_is_not_served(filled: World) -> None:
    shorter = filled.make(stale_ttl=10)
    filled.at(L2 + 11)
    assert shorter.lookup(ADDRESS).stale is None


def test_a_limit_of_age_forbids_it(filled: World) -> None:
    assert filled.lookup(L2 + 1, max_age=10 * L2).stale is None


def test_a_purged_answer_is_never_stale(filled: World) -> None:
    filled.marks.note("default", "summarization", NOON + timedelta(seconds=1))
    assert filled.lookup(L2 + 1).stale is None


def test_a_worker_finds_it_within_its_time(filled: World) -> None:
    filled.lookup(L2 + 100)
    assert filled.cache.recall(ADDRESS) is None
    assert filled.cache.recall_stale(ADDRESS, 100) == ANSWER
    assert filled.cache.recall_stale(ADDRESS, 99) is None


def test_a_tier_holds_an_answer_for_both_times(world: World) -> None:
    assert world.cache.kept_seconds == L2 + STALE


def test_a_fallbacks_answer_is_served_for_a_shorter_time(by_fallback: World) -> None:
    assert by_fallback.lookup(FALLBACK - 1).answer == OTHER
    assert by_fallback.lookup(FALLBACK + 1).answer is None


def test_a_fallbacks_answer_from_the_second_tier_is_copied_for_what_is_left(by_fallback: World) -> None:
    by_fallback.l1.delete([ADDRESS.name()])
    found = by_fallback.lookup(FALLBACK - 10)
    assert [(visit.tier, visit.ttl, visit.stored) for visit in found.visits] == [
        ("memcached", 0, True),
        ("redis", 10, False),
    ]
    assert by_fallback.lookup(FALLBACK - 5).visits == (Visit("memcached", "hit", ttl=5),)


def test_a_fallbacks_answer_is_never_stale(by_fallback: World) -> None:
    assert by_fallback.lookup(FALLBACK + 1).stale is None
    assert by_fallback.cache.recall_stale(ADDRESS, STALE) is None


def test_who_named_the_model_is_not_given_a_fallbacks_answer(by_fallback: World) -> None:
    found = by_fallback.lookup(1, fallbacks=())
    assert found == Lookup((Visit("memcached", "refused"), Visit("redis", "refused")))
    assert by_fallback.cache.recall(ADDRESS, ()) is None


@pytest.mark.parametrize(
    ("route", "is_given"),
    [
        (Route(OTHER.provider, OTHER.model), True),
        (Route("another", OTHER.model), False),
        (Route(OTHER.provider, "another/model"), False),
    ],
)
def test_only_who_allows_that_fallback_is_given_its_answer(by_fallback: World, *, route: Route, is_given: bool) -> None:
    fallbacks = (Route("yet", "another"), route)
    assert (by_fallback.lookup(1, fallbacks=fallbacks).answer == OTHER) is is_given
    assert (by_fallback.cache.recall(ADDRESS, fallbacks) == OTHER) is is_given


def test_who_named_the_model_is_given_the_models_answer(filled: World) -> None:
    assert filled.lookup(1, fallbacks=()).answer == ANSWER
