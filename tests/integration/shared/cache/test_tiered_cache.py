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
from tests.installation import Installation
from tests.integration.asking import address as address_of
from tests.integration.asking import an_answer, ask
from tests.integration.eventually import eventually

L1_TTL, L2_TTL = 300, 3600


@pytest.fixture
def cache(installation: Installation) -> TieredCache:
    return installation.services.cache


@pytest.fixture
def address(installation: Installation) -> Address:
    return address_of(installation.request)


def states(cache: TieredCache, address: Address, max_age: float | None = None) -> list[tuple[str, str]]:
    return [(visit.tier, visit.state) for visit in cache.lookup(address, Wanted(max_age, fallbacks=None)).visits]


def test_an_unknown_key_misses_both_tiers(cache: TieredCache, address: Address) -> None:
    assert states(cache, address) == [("memcached", "miss"), ("redis", "miss")]


def test_a_stored_answer_is_served_by_memcached(cache: TieredCache, address: Address) -> None:
    answer = an_answer()
    cache.store(address, answer)
    found = cache.lookup(address)
    assert (found.answer, found.visits[-1].tier) == (answer, "memcached")


def test_redis_answers_once_memcached_has_forgotten(cache: TieredCache, address: Address) -> None:
    answer = an_answer()
    cache.store(address, answer)
    cache.l1.delete([address.name()])
    found = cache.lookup(address)
    assert found.answer == answer
    assert [(visit.tier, visit.state, visit.stored) for visit in found.visits] == [
        ("memcached", "miss", True),
        ("redis", "hit", False),
    ]


def test_a_hit_of_redis_is_copied_to_memcached(cache: TieredCache, address: Address) -> None:
    cache.store(address, an_answer())
    cache.l1.delete([address.name()])
    cache.lookup(address)
    assert states(cache, address) == [("memcached", "hit")]


def test_a_promoted_answer_never_outlives_its_age_in_redis(cache: TieredCache, address: Address) -> None:
    cache.store(address, an_answer(now() - timedelta(seconds=L2_TTL - 2)))
    cache.l1.delete([address.name()])
    assert cache.lookup(address).answer is not None
    eventually(lambda: cache.l1.get(address.name()) is None)


def test_a_promoted_answer_lives_no_longer_than_the_first_tiers_ttl(
    configure: Callable[..., Settings], open_services: Callable[[Settings], ApiServices], address: Address
) -> None:
    cache = open_services(configure(L1_TTL_SECONDS="1")).cache
    cache.store(address, an_answer())
    cache.l1.delete([address.name()])
    assert cache.lookup(address).visits[0].stored
    eventually(lambda: cache.l1.get(address.name()) is None)


def test_the_ttl_of_a_hit_is_what_is_left_of_the_answer(cache: TieredCache, address: Address) -> None:
    cache.store(address, an_answer(now() - timedelta(seconds=L2_TTL - 100)))
    assert 97 <= cache.lookup(address).visits[0].ttl <= 100


def test_the_age_of_a_hit_counts_from_its_completion(cache: TieredCache, address: Address) -> None:
    cache.store(address, an_answer(now() - timedelta(seconds=100)))
    assert 100 <= cache.lookup(address).age < 103


def test_redis_forgets_when_the_answer_may_not_be_served_as_stale_any_more(
    cache: TieredCache, address: Address, settings: Settings
) -> None:
    cache.store(address, an_answer(now() - timedelta(seconds=L2_TTL - 50)))
    with connect(settings.redis_cache_url) as client:
        left = int(client.ttl(address.name()))  # type: ignore[arg-type]
    assert 45 <= left - settings.stale_if_error_seconds <= 50


def test_an_answer_with_less_than_a_second_left_is_stored_nowhere(cache: TieredCache, address: Address) -> None:
    cache.store(address, an_answer(now() - timedelta(seconds=L2_TTL - 0.5)))
    assert (cache.l1.get(address.name()), cache.l2.get(address.name())) == (None, None)


def test_an_answer_older_than_asked_for_is_refused_by_both_tiers(cache: TieredCache, address: Address) -> None:
    cache.store(address, an_answer(now() - timedelta(seconds=100)))
    assert states(cache, address, max_age=50) == [("memcached", "refused"), ("redis", "refused")]


@pytest.mark.parametrize("off", ["L1_TTL_SECONDS", "L2_TTL_SECONDS"])
def test_a_tier_with_a_ttl_of_zero_is_never_written(
    configure: Callable[..., Settings], open_services: Callable[[Settings], ApiServices], address: Address, off: str
) -> None:
    cache = open_services(configure(**{off: "0"})).cache
    cache.store(address, an_answer())
    stored = [tier.get(address.name()) is not None for tier in (cache.l1, cache.l2)]
    assert stored == [off != "L1_TTL_SECONDS", off != "L2_TTL_SECONDS"]
    assert cache.lookup(address).answer is not None


def test_the_second_tier_is_written_though_the_first_is_down(
    services: ApiServices, own_memcached: MemcachedServer, address: Address
) -> None:
    cache = over(services, l1=MemcachedTier((host_port(own_memcached.address, None),)))
    own_memcached.kill()
    answer = an_answer()
    cache.store(address, answer)
    found = cache.lookup(address)
    cache.l1.close()
    assert found.answer == answer
    assert [(visit.tier, visit.state) for visit in found.visits] == [("memcached", "down"), ("redis", "hit")]


def test_the_first_tier_is_written_though_the_second_is_down(
    services: ApiServices, own_valkey: Valkey, address: Address
) -> None:
    cache = over(services, l2=RedisTier(connect(own_valkey.url())))
    own_valkey.kill()
    answer = an_answer()
    cache.store(address, answer)
    found = cache.lookup(address)
    cache.l2.close()
    assert (found.answer, found.visits[-1].tier) == (answer, "memcached")


def test_two_dead_tiers_are_a_quick_miss(
    services: ApiServices, own_memcached: MemcachedServer, own_valkey: Valkey, address: Address
) -> None:
    l1, l2 = MemcachedTier((host_port(own_memcached.address, None),)), RedisTier(connect(own_valkey.url()))
    cache = over(services, l1=l1, l2=l2)
    own_memcached.kill()
    own_valkey.kill()
    started = time.monotonic()
    seen = states(cache, address)
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
def test_a_foreign_value_is_a_miss(cache: TieredCache, address: Address, garbage: bytes) -> None:
    cache.l1.set(address.name(), garbage, 60)
    cache.l2.set(address.name(), garbage, 60)
    assert states(cache, address) == [("memcached", "miss"), ("redis", "miss")]


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
def test_an_entry_with_one_wrong_field_is_a_miss(
    cache: TieredCache, address: Address, field: str, value: object
) -> None:
    cache.store(address, an_answer())
    entry = json.loads(cache.l2.get(address.name()) or b"")
    spoilt = json.dumps({**entry, field: value}).encode()
    cache.l1.set(address.name(), spoilt, 60)
    cache.l2.set(address.name(), spoilt, 60)
    assert cache.lookup(address).answer is None


def test_an_entry_under_another_key_is_a_miss(cache: TieredCache, settings: Settings) -> None:
    own, other = address_of(ask(settings)), address_of(ask(settings))
    cache.store(own, an_answer())
    entry = cache.l2.get(own.name())
    assert entry is not None
    cache.l2.set(other.name(), entry, 60)
    cache.l1.set(other.name(), entry, 60)
    assert cache.lookup(other).answer is None


def test_a_key_of_another_type_in_redis_is_a_miss(cache: TieredCache, address: Address, settings: Settings) -> None:
    with Redis.from_url(settings.redis_cache_url) as client:
        client.rpush(address.name(), "not a string")
    assert cache.lookup(address).answer is None


def test_a_purged_key_is_gone_from_both_tiers(cache: TieredCache, address: Address) -> None:
    cache.store(address, an_answer())
    found = cache.purge_key(address.namespace, [address.task_type, "chat"], address.key)
    assert found == {"redis": 1, "memcached": 1}
    assert cache.lookup(address).answer is None


def test_purging_an_unknown_key_counts_nothing(cache: TieredCache, address: Address) -> None:
    assert cache.purge_key(address.namespace, [address.task_type], address.key) == {"redis": 0, "memcached": 0}


def test_answers_from_before_a_purge_of_their_task_type_are_misses(services: ApiServices, address: Address) -> None:
    cache = services.cache
    cache.store(address, an_answer())
    purge = services.purges.write(address.namespace, address.task_type)
    cache.purge_marks.note(address.namespace, address.task_type, purge.purged_at)
    assert states(cache, address) == [("memcached", "miss"), ("redis", "miss")]


def test_answers_from_before_a_purge_are_not_stored(services: ApiServices, address: Address) -> None:
    answer = an_answer()
    services.purges.write(address.namespace, address.task_type)
    services.cache.purge_marks.refresh()
    services.cache.store(address, answer)
    assert (services.cache.l1.get(address.name()), services.cache.l2.get(address.name())) == (None, None)


def test_answers_from_after_a_purge_are_served(services: ApiServices, address: Address) -> None:
    purge = services.purges.write(address.namespace, address.task_type)
    services.cache.purge_marks.refresh()
    answer = an_answer(purge.purged_at + timedelta(milliseconds=1))
    services.cache.store(address, answer)
    assert services.cache.lookup(address).answer == answer


def test_a_purge_of_one_task_type_leaves_the_others(services: ApiServices, settings: Settings) -> None:
    other = address_of(ask(settings, "chat"))
    services.cache.store(other, an_answer())
    services.purges.write("default", "sentiment")
    services.cache.purge_marks.refresh()
    services.cache.purge_task_type("default", "sentiment")
    assert services.cache.lookup(other).answer is not None


def test_a_purge_of_a_task_type_says_how_much_redis_held(services: ApiServices, settings: Settings) -> None:
    for _ in range(3):
        services.cache.store(address_of(ask(settings)), an_answer())
    assert services.cache.purge_task_type("default", "sentiment") == 3


def test_a_purge_frees_thousands_of_keys(services: ApiServices) -> None:
    for number in range(2500):
        services.cache.l2.set(Address("default", "sentiment", str(number)).name(), b"x", 60)
    assert services.cache.purge_task_type("default", "sentiment") == 2500


def over(services: ApiServices, l1: MemcachedTier | None = None, l2: RedisTier | None = None) -> TieredCache:
    cache = services.cache
    return TieredCache(l1 or cache.l1, l2 or cache.l2, l1_ttl=L1_TTL, l2_ttl=L2_TTL, purge_marks=cache.purge_marks)
