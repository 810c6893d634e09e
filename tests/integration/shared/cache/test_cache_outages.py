"""A tier whose server is dead, frozen, full or half there: quick, named, and over once the server is back."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from local.servers.memcached import MemcachedServer
from local.servers.valkey import Valkey
from local.supervisor.base import Service
from shared.breaker import FAILURES_TO_OPEN
from shared.cache.memcached import MemcachedTier
from shared.cache.redis import RedisTier
from shared.environment.addresses import host_port
from shared.errors import ServerDown
from shared.redis import connect
from tests.integration.eventually import eventually
from tests.integration.outages import frozen
from tests.servers import Servers

QUICK_SECONDS = 2.0
AT_ONCE_SECONDS = 0.15
"""Below the 0.2 s that a frozen server costs. Both with room for a slow machine."""
RECOVERY_SECONDS = 6
MEBIBYTE = 1024 * 1024

StartServer = Callable[[type[Service]], Service]
OwnTier = tuple[Service, MemcachedTier | RedisTier]


def memcached_tier(*servers: Service) -> MemcachedTier:
    return MemcachedTier(tuple(host_port(server.address or "", None) for server in servers))


@pytest.fixture(params=["memcached", "redis"])
def own_tier(request: pytest.FixtureRequest, own: StartServer) -> Iterator[OwnTier]:
    """A server that this test may stop, and a tier over it that has been used."""
    tier: MemcachedTier | RedisTier
    if request.param == "memcached":
        server = own(MemcachedServer)
        tier = memcached_tier(server)
    else:
        server = own(Valkey)
        assert isinstance(server, Valkey)
        tier = RedisTier(connect(server.url()))
    tier.set("key", b"value", 60)
    yield server, tier
    tier.close()


def seconds_until_down(tier: MemcachedTier | RedisTier) -> float:
    started = time.monotonic()
    with pytest.raises(ServerDown):
        tier.get("key")
    return time.monotonic() - started


def answers(tier: MemcachedTier | RedisTier) -> bool:
    try:
        tier.set("again", b"value", 60)
    except ServerDown:
        return False
    return True


def test_a_dead_server_is_down_at_once(own_tier: OwnTier) -> None:
    server, tier = own_tier
    server.kill()
    assert seconds_until_down(tier) < QUICK_SECONDS


@pytest.mark.parametrize("operation", ["set", "delete", "ping"])
def test_every_operation_on_a_dead_server_raises_server_down(own_tier: OwnTier, operation: str) -> None:
    server, tier = own_tier
    server.kill()
    operations: dict[str, Callable[[], object]] = {
        "set": lambda: tier.set("key", b"value", 60),
        "delete": lambda: tier.delete(["key"]),
        "ping": tier.ping,
    }
    with pytest.raises(ServerDown):
        operations[operation]()


def test_a_frozen_server_is_down_within_half_a_second(own_tier: OwnTier) -> None:
    server, tier = own_tier
    with frozen(server):
        assert seconds_until_down(tier) < QUICK_SECONDS


def test_a_frozen_server_costs_nothing_after_three_failures(own_tier: OwnTier) -> None:
    server, tier = own_tier
    with frozen(server):
        for _ in range(FAILURES_TO_OPEN):
            seconds_until_down(tier)
        assert max(seconds_until_down(tier) for _ in range(20)) < AT_ONCE_SECONDS


def test_two_failures_do_not_open_the_breaker(own_tier: OwnTier) -> None:
    server, tier = own_tier
    with frozen(server):
        for _ in range(FAILURES_TO_OPEN - 1):
            seconds_until_down(tier)
    assert not any(breaker.is_open for breaker in tier.breakers)


def test_a_thawed_server_is_used_again_within_seconds(own_tier: OwnTier) -> None:
    server, tier = own_tier
    with frozen(server):
        for _ in range(FAILURES_TO_OPEN):
            seconds_until_down(tier)
    eventually(lambda: answers(tier), RECOVERY_SECONDS)
    assert tier.get("key") == b"value"


def test_a_restarted_server_is_used_again_within_seconds(own_tier: OwnTier) -> None:
    server, tier = own_tier
    server.kill()
    for _ in range(FAILURES_TO_OPEN):
        seconds_until_down(tier)
    server.start()
    eventually(lambda: answers(tier), RECOVERY_SECONDS)


def test_an_outage_is_logged_once_and_so_is_its_end(own_tier: OwnTier, caplog: pytest.LogCaptureFixture) -> None:
    server, tier = own_tier
    with frozen(server):
        for _ in range(10 * FAILURES_TO_OPEN):
            seconds_until_down(tier)
    eventually(lambda: answers(tier), RECOVERY_SECONDS)
    eventually(lambda: [record.message for record in caplog.records] == ["Server is down", "Server is back"])


def test_threads_in_an_outage_see_right_values_or_server_down_and_nothing_else(own_tier: OwnTier) -> None:
    server, tier = own_tier
    seen: Counter[object] = Counter()
    over = threading.Event()

    def use() -> None:
        while not over.is_set():
            try:
                seen[tier.get("key")] += 1
            except ServerDown:
                seen["down"] += 1
                over.wait(0.001)
            except Exception as err:  # noqa: BLE001  what must not happen is what we look for
                seen[repr(err)] += 1

    threads = [threading.Thread(target=use) for _ in range(16)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        with frozen(server):
            eventually(lambda: all(breaker.is_open for breaker in tier.breakers))
        eventually(lambda: answers(tier), RECOVERY_SECONDS)
    over.set()
    for thread in threads:
        thread.join()
    assert set(seen) == {b"value", "down"}


def test_a_dead_node_loses_only_its_own_share(own: StartServer) -> None:
    dead, alive = own(MemcachedServer), own(MemcachedServer)
    tier = memcached_tier(dead, alive)
    keys = [f"key-{number}" for number in range(40)]
    for key in keys:
        tier.set(key, key.encode(), 60)
    of_the_living = {key for key in keys if _held_by(alive, key)}
    dead.kill()
    found = {key for key in keys if _get(tier, key) is not None}
    tier.close()
    assert found == of_the_living
    assert 0 < len(found) < len(keys)


def test_a_tier_answers_a_ping_while_one_node_lives(own: StartServer) -> None:
    dead, alive = own(MemcachedServer), own(MemcachedServer)
    tier = memcached_tier(dead, alive)
    dead.kill()
    tier.ping()
    tier.close()


def test_a_value_beyond_a_mebibyte_is_refused_by_memcached(servers: Servers) -> None:
    tier = memcached_tier(servers.memcached)
    with pytest.raises(ServerDown):
        tier.set("large", b"x" * (MEBIBYTE + 1), 60)
    tier.close()


def test_refused_values_do_not_open_the_breaker(servers: Servers) -> None:
    tier = memcached_tier(servers.memcached)
    for _ in range(2 * FAILURES_TO_OPEN):
        with pytest.raises(ServerDown):
            tier.set("large", b"x" * (MEBIBYTE + 1), 60)
    tier.set("small", b"value", 60)
    assert tier.get("small") == b"value"
    tier.close()


def test_a_full_redis_refuses_without_opening_the_breaker(own_valkey: Valkey) -> None:
    with connect(own_valkey.url()) as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "1mb")
    tier = RedisTier(connect(own_valkey.url()))
    for _ in range(2 * FAILURES_TO_OPEN):
        with pytest.raises(ServerDown):
            tier.set("key", b"x" * 100_000, 60)
    assert tier.get("key") is None
    tier.close()


def _held_by(server: Service, key: str) -> bool:
    node = memcached_tier(server)
    held = node.get(key) is not None
    node.close()
    return held


def _get(tier: MemcachedTier, key: str) -> bytes | None:
    try:
        return tier.get(key)
    except ServerDown:
        return None
