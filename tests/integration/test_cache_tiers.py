"""What every tier does, whatever it is made of."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.addresses import host_port
from shared.cache.base import Tier
from shared.cache.memcached import Memcached
from shared.cache.memory import Memory
from shared.cache.redis import RedisTier
from shared.redis_client import connect
from tests.conftest import Servers
from tests.integration.eventually import eventually

MINUTE = 60
THREADS = 16


@pytest.fixture(params=["memory", "memcached", "redis"])
def tier(request: pytest.FixtureRequest) -> Iterator[Tier]:
    tier: Tier
    if request.param == "memory":
        tier = Memory("memory")
    else:
        servers: Servers = request.getfixturevalue("servers")
        servers.empty()
        if request.param == "memcached":
            tier = Memcached((host_port(servers.memcached.address, None),))
        else:
            tier = RedisTier(connect(servers.valkey.url(0)))
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
