"""What every tier does, whatever it is made of."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.cache.memcached import MemcachedTier
from shared.cache.redis import RedisTier
from shared.cache.tier import FirstTier, SecondTier, Tier
from shared.cache.tombstones import buried_at
from shared.environment.addresses import host_port
from shared.redis import connect
from tests.integration.eventually import eventually
from tests.memory_tier import Memory
from tests.servers import Servers

MINUTE = 60
THREADS = 16

PATIENCE_SECONDS = 30.0
"""While other tests use all cores, a reply may take longer than a tier waits for it."""


def make(kind: str, request: pytest.FixtureRequest) -> Memory | MemcachedTier | RedisTier:
    if kind == "memory":
        return Memory("memory")
    servers: Servers = request.getfixturevalue("servers")
    servers.empty()
    if kind == "memcached":
        return MemcachedTier((host_port(servers.memcached.address, None),))
    return RedisTier(connect(servers.valkey.url(0), PATIENCE_SECONDS))


@pytest.fixture(params=["memory", "memcached", "redis"])
def tier(request: pytest.FixtureRequest) -> Iterator[Tier]:
    tier = make(request.param, request)
    yield tier
    tier.close()


@pytest.fixture(params=["memory", "memcached"])
def first(request: pytest.FixtureRequest) -> Iterator[FirstTier]:
    tier = make(request.param, request)
    assert not isinstance(tier, RedisTier)
    yield tier
    tier.close()


@pytest.fixture(params=["memory", "redis"])
def second(request: pytest.FixtureRequest) -> Iterator[SecondTier]:
    tier = make(request.param, request)
    assert not isinstance(tier, MemcachedTier)
    yield tier
    tier.close()


def test_a_key_that_was_never_stored_is_a_miss(tier: Tier) -> None:
    assert tier.get("nothing") is None


def test_what_is_stored_comes_back(tier: Tier) -> None:
    tier.set("key", b"value", MINUTE)
    assert tier.get("key") == b"value"


def test_an_empty_value_is_no_miss(tier: Tier) -> None:
    tier.set("key", b"", MINUTE)
    assert tier.get("key") == b""


def test_a_value_is_replaced(tier: Tier) -> None:
    tier.set("key", b"old", MINUTE)
    tier.set("key", b"new", MINUTE)
    assert tier.get("key") == b"new"


def test_a_value_goes_when_its_time_is_up(tier: Tier) -> None:
    tier.set("key", b"value", 1)
    assert tier.get("key") == b"value"
    eventually(lambda: tier.get("key") is None)


def test_a_longer_time_replaces_a_shorter_one(tier: Tier) -> None:
    tier.set("short", b"value", 1)
    tier.set("key", b"value", 1)
    tier.set("key", b"value", MINUTE)
    eventually(lambda: tier.get("short") is None)
    assert tier.get("key") == b"value"


def test_deleted_keys_are_misses(tier: Tier) -> None:
    tier.set("key", b"value", MINUTE)
    tier.delete(["key"])
    assert tier.get("key") is None


def test_deleting_counts_only_what_was_there(tier: Tier) -> None:
    tier.set("one", b"1", MINUTE)
    tier.set("two", b"2", MINUTE)
    assert tier.delete(["one", "two", "three"]) == 2


def test_other_keys_survive_a_delete(tier: Tier) -> None:
    tier.set("one", b"1", MINUTE)
    tier.set("two", b"2", MINUTE)
    tier.delete(["one"])
    assert tier.get("two") == b"2"


def test_a_large_value_comes_back_whole(tier: Tier) -> None:
    value = os.urandom(900_000)
    tier.set("key", value, MINUTE)
    assert tier.get("key") == value


@pytest.mark.parametrize("value", ["žluťoučký 🐎".encode(), b"\r\nEND\r\n", bytes(range(256)), b"VALUE key 0 1\r\n"])
def test_any_bytes_come_back_as_they_were(tier: Tier, value: bytes) -> None:
    tier.set("key", value, MINUTE)
    assert tier.get("key") == value


def test_every_server_answers_a_ping(tier: Tier) -> None:
    tier.ping()


def test_threads_never_get_each_others_values(tier: Tier) -> None:
    def use(number: int) -> list[bytes | None]:
        keys = [f"{number}-{index}" for index in range(40)]
        for key in keys:
            tier.set(key, key.encode() * 50, MINUTE)
        return [tier.get(key) for key in keys]

    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(use, range(THREADS)))
    assert answers == [[f"{number}-{index}".encode() * 50 for index in range(40)] for number in range(THREADS)]


def test_a_key_that_was_never_stored_has_no_version(first: FirstTier) -> None:
    assert first.get_versioned("nothing") == (None, None)


def test_a_value_comes_with_its_version(first: FirstTier) -> None:
    first.set("key", b"value", MINUTE)
    value, version = first.get_versioned("key")
    assert (value, version is None) == (b"value", False)


def test_an_unchanged_value_is_replaced(first: FirstTier) -> None:
    first.set("key", b"old", MINUTE)
    _, version = first.get_versioned("key")
    assert first.set_if_unchanged("key", b"new", MINUTE, version)
    assert first.get("key") == b"new"


@pytest.mark.parametrize("meanwhile", [b"other", b"old"])
def test_a_value_that_was_written_meanwhile_is_not_replaced(first: FirstTier, meanwhile: bytes) -> None:
    first.set("key", b"old", MINUTE)
    _, version = first.get_versioned("key")
    first.set("key", meanwhile, MINUTE)
    assert not first.set_if_unchanged("key", b"new", MINUTE, version)
    assert first.get("key") == meanwhile


def test_a_value_that_went_meanwhile_is_not_replaced(first: FirstTier) -> None:
    first.set("key", b"old", MINUTE)
    _, version = first.get_versioned("key")
    first.delete(["key"])
    assert not first.set_if_unchanged("key", b"new", MINUTE, version)
    assert first.get("key") is None


def test_what_was_not_there_is_stored_if_it_still_is_not(first: FirstTier) -> None:
    assert first.set_if_unchanged("key", b"new", MINUTE, None)
    assert not first.set_if_unchanged("key", b"newer", MINUTE, None)
    assert first.get("key") == b"new"


def test_a_tombstone_takes_the_place_of_a_value(second: SecondTier) -> None:
    second.set("key", b"value", MINUTE)
    assert second.bury(["key", "nothing"], 12.5, MINUTE) == {"key": True}
    assert (buried_at(second.get("key")), second.get("nothing")) == (12.5, None)


def test_a_tombstone_is_renewed_but_no_value(second: SecondTier) -> None:
    second.set("key", b"value", MINUTE)
    second.bury(["key"], 12.5, MINUTE)
    assert second.bury(["key"], 13.5, MINUTE) == {"key": False}
    assert buried_at(second.get("key")) == 13.5


def test_a_tombstone_goes_when_its_time_is_up(second: SecondTier) -> None:
    second.set("key", b"value", MINUTE)
    second.bury(["key"], 12.5, 1)
    eventually(lambda: second.get("key") is None)


def test_a_tombstone_is_put_where_nothing_is_if_asked_for(second: SecondTier) -> None:
    assert second.bury(["nothing"], 12.5, MINUTE, absent=True) == {}
    assert buried_at(second.get("nothing")) == 12.5


def test_keys_are_linked_directly_and_through_others(second: SecondTier) -> None:
    second.link(["one", "content"], MINUTE)
    second.link(["two", "content"], MINUTE)
    second.link(["stranger", "foreign"], MINUTE)
    assert second.linked(["one"]) == {"two", "content"}
    assert second.linked(["content", "two"]) == {"one"}
    assert second.linked(["alone"]) == set()


@pytest.mark.parametrize(("made_at", "stored"), [(1795600000.25, False), (1795600000.5, False), (1795600000.75, True)])
def test_only_what_is_newer_than_a_tombstone_takes_its_place(
    second: SecondTier,
    made_at: float,
    stored: bool,  # noqa: FBT001  expected
) -> None:
    second.set("key", b"value", MINUTE)
    second.bury(["key"], 1795600000.5, MINUTE)
    assert second.set_unless_buried("key", b"new", MINUTE, made_at) is stored
    assert (second.get("key") == b"new") is stored


@pytest.mark.parametrize("held", [None, b"value", b"", b"purge", b"purged at noon", bytes(range(256))])
def test_what_is_no_tombstone_keeps_nothing_out(second: SecondTier, held: bytes | None) -> None:
    if held is not None:
        second.set("key", held, MINUTE)
    assert second.set_unless_buried("key", b"new", MINUTE, 0.0)
    assert second.get("key") == b"new"
