"""Both tiers together, on real servers."""

import json
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from redis import Redis

from api.bootstrap import ApiServices
from local.servers.memcached import MemcachedServer
from local.servers.valkey import Valkey
from shared.cache.entry import Wanted
from shared.cache.lookup import Address
from shared.cache.memcached import MemcachedTier
from shared.cache.redis import RedisTier
from shared.cache.tiered import TieredCache
from shared.config import Settings
from shared.environment.addresses import host_port
from shared.redis import connect
from shared.times import now
from tests.integration.asking import address, an_answer, ask
from tests.integration.eventually import eventually

L1_TTL, L2_TTL = 300, 3600


@pytest.fixture
def cache(services: ApiServices) -> TieredCache:
    return services.cache


@pytest.fixture
def place(settings: Settings) -> Address:
    return address(ask(settings))


def states(cache: TieredCache, place: Address, max_age: float | None = None) -> list[tuple[str, str]]:
    return [(visit.tier, visit.state) for visit in cache.lookup(place, Wanted(max_age, by_fallback=True)).visits]


def test_an_unknown_key_misses_both_tiers(cache: TieredCache, place: Address) -> None:
    assert states(cache, place) == [("memcached", "miss"), ("redis", "miss")]


def test_a_stored_answer_is_served_by_memcached(cache: TieredCache, place: Address) -> None:
    answer = an_answer()
    cache.store(place, answer)
    found = cache.lookup(place)
    assert (found.answer, found.visits[-1].tier) == (answer, "memcached")


def test_redis_answers_once_memcached_has_forgotten(cache: TieredCache, place: Address) -> None:
    answer = an_answer()
    cache.store(place, answer)
    cache.l1.delete([place.name()])
    found = cache.lookup(place)
    assert found.answer == answer
    assert [(visit.tier, visit.state, visit.stored) for visit in found.visits] == [
        ("memcached", "miss", True),
        ("redis", "hit", False),
    ]


def test_a_hit_of_redis_is_copied_to_memcached(cache: TieredCache, place: Address) -> None:
    cache.store(place, an_answer())
    cache.l1.delete([place.name()])
    cache.lookup(place)
    assert states(cache, place) == [("memcached", "hit")]


def test_a_promoted_answer_never_outlives_its_age_in_redis(cache: TieredCache, place: Address) -> None:
    cache.store(place, an_answer(now() - timedelta(seconds=L2_TTL - 2)))
    cache.l1.delete([place.name()])
    assert cache.lookup(place).answer is not None
    eventually(lambda: cache.l1.get(place.name()) is None)


def test_a_promoted_answer_lives_no_longer_than_the_first_tiers_ttl(
    configure: Callable[..., Settings], open_services: Callable[[Settings], ApiServices], place: Address
) -> None:
    cache = open_services(configure(L1_TTL_SECONDS="1")).cache
    cache.store(place, an_answer())
    cache.l1.delete([place.name()])
    assert cache.lookup(place).visits[0].stored
    eventually(lambda: cache.l1.get(place.name()) is None)


def test_the_ttl_of_a_hit_is_what_is_left_of_the_answer(cache: TieredCache, place: Address) -> None:
    cache.store(place, an_answer(now() - timedelta(seconds=L2_TTL - 100)))
    assert 97 <= cache.lookup(place).visits[0].ttl <= 100


def test_the_age_of_a_hit_counts_from_its_completion(cache: TieredCache, place: Address) -> None:
    cache.store(place, an_answer(now() - timedelta(seconds=100)))
    assert 100 <= cache.lookup(place).age < 103


def test_redis_forgets_when_the_answer_may_not_be_served_as_stale_any_more(
    cache: TieredCache, place: Address, settings: Settings
) -> None:
    cache.store(place, an_answer(now() - timedelta(seconds=L2_TTL - 50)))
    with connect(settings.redis_cache_url) as client:
        left = int(client.ttl(place.name()))  # type: ignore[arg-type]
    assert 45 <= left - settings.stale_if_error_seconds <= 50


def test_an_answer_with_less_than_a_second_left_is_stored_nowhere(cache: TieredCache, place: Address) -> None:
    cache.store(place, an_answer(now() - timedelta(seconds=L2_TTL - 0.5)))
    assert (cache.l1.get(place.name()), cache.l2.get(place.name())) == (None, None)


def test_an_answer_older_than_asked_for_is_refused_by_both_tiers(cache: TieredCache, place: Address) -> None:
    cache.store(place, an_answer(now() - timedelta(seconds=100)))
    assert states(cache, place, max_age=50) == [("memcached", "refused"), ("redis", "refused")]


@pytest.mark.parametrize("off", ["L1_TTL_SECONDS", "L2_TTL_SECONDS"])
def test_a_tier_with_a_ttl_of_zero_is_never_written(
    configure: Callable[..., Settings], open_services: Callable[[Settings], ApiServices], place: Address, off: str
) -> None:
    cache = open_services(configure(**{off: "0"})).cache
    cache.store(place, an_answer())
    stored = [tier.get(place.name()) is not None for tier in (cache.l1, cache.l2)]
    assert stored == [off != "L1_TTL_SECONDS", off != "L2_TTL_SECONDS"]
    assert cache.lookup(place).answer is not None


def test_the_second_tier_is_written_though_the_first_is_down(
    services: ApiServices, own_memcached: MemcachedServer, place: Address
) -> None:
    cache = over(services, l1=MemcachedTier((host_port(own_memcached.address, None),)))
    own_memcached.kill()
    answer = an_answer()
    cache.store(place, answer)
    found = cache.lookup(place)
    cache.l1.close()
    assert found.answer == answer
    assert [(visit.tier, visit.state) for visit in found.visits] == [("memcached", "down"), ("redis", "hit")]


def test_the_first_tier_is_written_though_the_second_is_down(
    services: ApiServices, own_valkey: Valkey, place: Address
) -> None:
    cache = over(services, l2=RedisTier(connect(own_valkey.url())))
    own_valkey.kill()
    answer = an_answer()
    cache.store(place, answer)
    found = cache.lookup(place)
    cache.l2.close()
    assert (found.answer, found.visits[-1].tier) == (answer, "memcached")


def test_two_dead_tiers_are_a_quick_miss(
    services: ApiServices, own_memcached: MemcachedServer, own_valkey: Valkey, place: Address
) -> None:
    l1, l2 = MemcachedTier((host_port(own_memcached.address, None),)), RedisTier(connect(own_valkey.url()))
    cache = over(services, l1=l1, l2=l2)
    own_memcached.kill()
    own_valkey.kill()
    started = time.monotonic()
    seen = states(cache, place)
    elapsed = time.monotonic() - started
    l1.close()
    l2.close()
    assert seen == [("memcached", "down"), ("redis", "down")]
    assert elapsed < 4


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\x80\x04\x95",
        b"not json",
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        b'{"version":1}',
        b'{"version":999,"key":"other"}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
    ids=lambda garbage: str(garbage[:12]),
)
def test_a_foreign_value_is_a_miss(cache: TieredCache, place: Address, garbage: bytes) -> None:
    cache.l1.set(place.name(), garbage, 60)
    cache.l2.set(place.name(), garbage, 60)
    assert states(cache, place) == [("memcached", "miss"), ("redis", "miss")]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", 2),
        ("job_id", "no uuid"),
        ("completed_at", "yesterday"),
        ("completed_at", "2026-01-01T00:00:00"),
        ("result", None),
        ("usage", {"tokens": 1}),
        ("expires_at", "soon"),
    ],
)
def test_an_entry_with_one_wrong_field_is_a_miss(cache: TieredCache, place: Address, field: str, value: object) -> None:
    cache.store(place, an_answer())
    entry = json.loads(cache.l2.get(place.name()) or b"")
    spoilt = json.dumps({**entry, field: value}).encode()
    cache.l1.set(place.name(), spoilt, 60)
    cache.l2.set(place.name(), spoilt, 60)
    assert cache.lookup(place).answer is None


def test_an_entry_under_another_key_is_a_miss(cache: TieredCache, settings: Settings) -> None:
    own, other = address(ask(settings)), address(ask(settings))
    cache.store(own, an_answer())
    entry = cache.l2.get(own.name())
    assert entry is not None
    cache.l2.set(other.name(), entry, 60)
    cache.l1.set(other.name(), entry, 60)
    assert cache.lookup(other).answer is None


def test_a_key_of_another_type_in_redis_is_a_miss(cache: TieredCache, place: Address, settings: Settings) -> None:
    with Redis.from_url(settings.redis_cache_url) as client:
        client.rpush(place.name(), "not a string")
    assert cache.lookup(place).answer is None


def test_a_purged_key_is_gone_from_both_tiers(cache: TieredCache, place: Address) -> None:
    cache.store(place, an_answer())
    found = cache.purge_key(place.namespace, [place.task_type, "chat"], place.key)
    assert found == {"redis": 1, "memcached": 1}
    assert cache.lookup(place).answer is None


def test_purging_an_unknown_key_counts_nothing(cache: TieredCache, place: Address) -> None:
    assert cache.purge_key(place.namespace, [place.task_type], place.key) == {"redis": 0, "memcached": 0}


def test_answers_from_before_a_purge_of_their_task_type_are_misses(services: ApiServices, place: Address) -> None:
    cache = services.cache
    cache.store(place, an_answer())
    purge = services.purges.write(place.namespace, place.task_type)
    cache.purge_marks.note(place.namespace, place.task_type, purge.purged_at)
    assert states(cache, place) == [("memcached", "miss"), ("redis", "miss")]


def test_answers_from_before_a_purge_are_not_stored(services: ApiServices, place: Address) -> None:
    answer = an_answer()
    services.purges.write(place.namespace, place.task_type)
    services.cache.purge_marks.refresh()
    services.cache.store(place, answer)
    assert (services.cache.l1.get(place.name()), services.cache.l2.get(place.name())) == (None, None)


def test_answers_from_after_a_purge_are_served(services: ApiServices, place: Address) -> None:
    purge = services.purges.write(place.namespace, place.task_type)
    services.cache.purge_marks.refresh()
    answer = an_answer(purge.purged_at + timedelta(milliseconds=1))
    services.cache.store(place, answer)
    assert services.cache.lookup(place).answer == answer


def test_a_purge_of_one_task_type_leaves_the_others(services: ApiServices, settings: Settings) -> None:
    other = address(ask(settings, "chat"))
    services.cache.store(other, an_answer())
    services.purges.write("default", "sentiment")
    services.cache.purge_marks.refresh()
    services.cache.purge_task_type("default", "sentiment")
    assert services.cache.lookup(other).answer is not None


def test_a_purge_of_a_task_type_says_how_much_redis_held(services: ApiServices, settings: Settings) -> None:
    for _ in range(3):
        services.cache.store(address(ask(settings)), an_answer())
    assert services.cache.purge_task_type("default", "sentiment") == 3


def test_a_purge_frees_thousands_of_keys(services: ApiServices) -> None:
    for number in range(2500):
        services.cache.l2.set(Address("default", "sentiment", str(number)).name(), b"x", 60)
    assert services.cache.purge_task_type("default", "sentiment") == 2500


def over(services: ApiServices, l1: MemcachedTier | None = None, l2: RedisTier | None = None) -> TieredCache:
    cache = services.cache
    return TieredCache(l1 or cache.l1, l2 or cache.l2, l1_ttl=L1_TTL, l2_ttl=L2_TTL, purge_marks=cache.purge_marks)
