"""One key is purged while others copy, store and read it, on real servers: nobody puts the old answer back."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from redis import Redis

from api.bootstrap import ApiServices
from shared.cache.entry import Wanted
from shared.cache.lookup import Address
from shared.cache.redis import RedisTier
from shared.cache.tiered import TieredCache
from shared.domain.answer import Answer
from shared.redis import connect
from shared.times import now
from tests.installation import Installation
from tests.integration.asking import address as address_of
from tests.integration.asking import an_answer

READERS = 6
ROUNDS = 40


class Interrupted(RedisTier):
    """A second tier in whose calls something happens: `after_get` before a value is used, `around_set` twice."""

    def __init__(self, client: Redis) -> None:
        super().__init__(client)
        self.after_get: Callable[[], object] = lambda: None
        self.before_set: Callable[[], object] = lambda: None
        self.after_set: Callable[[], object] = lambda: None

    def get(self, key: str) -> bytes | None:
        value = super().get(key)
        self.after_get()
        return value

    def set_unless_buried(self, key: str, value: bytes, ttl: int, made_at: float) -> bool:
        self.before_set()
        stored = super().set_unless_buried(key, value, ttl, made_at)
        self.after_set()
        return stored


@pytest.fixture
def address(installation: Installation) -> Address:
    return address_of(installation.request)


@pytest.fixture
def interrupted(installation: Installation) -> Iterator[Interrupted]:
    tier = Interrupted(connect(installation.settings.redis_cache_url))
    yield tier
    tier.close()


def held_up(services: ApiServices, interrupted: Interrupted) -> TieredCache:
    """Return the cache of a process that is held up between two steps."""
    return TieredCache(services.cache.l1, interrupted, l1_ttl=300, l2_ttl=3600, purge_marks=services.cache.purge_marks)


@pytest.fixture
def purge(installation: Installation) -> Callable[[], dict[str, int]]:
    """Purge the key in another process."""
    services, address = installation.services, address_of(installation.request)
    return lambda: services.cache.purge_key(address.namespace, [address.task_type, "chat"], address.key)


Purge = Callable[[], dict[str, int]]


def old_answer() -> Answer:
    return an_answer(now() - timedelta(seconds=60))


def test_a_copy_to_the_first_tier_does_not_bring_a_purged_answer_back(
    services: ApiServices, interrupted: Interrupted, address: Address, purge: Purge
) -> None:
    services.cache.store(address, old_answer())
    services.cache.l1.delete([address.name()])
    interrupted.after_get = purge
    held_up(services, interrupted).lookup(address)
    assert services.cache.lookup(address).answer is None


def test_a_copy_in_the_place_of_one_that_was_too_old_does_not_either(
    services: ApiServices, interrupted: Interrupted, address: Address, purge: Purge
) -> None:
    services.cache.store(address, an_answer(now() - timedelta(seconds=600)))
    too_old = services.cache.l1.get(address.name())
    services.cache.store(address, old_answer())
    assert too_old is not None
    services.cache.l1.set(address.name(), too_old, 300)
    interrupted.after_get = purge
    held_up(services, interrupted).lookup(address, Wanted(100, fallbacks=None))
    assert services.cache.lookup(address).answer is None


def test_a_store_that_is_held_up_between_the_tiers_does_not(
    services: ApiServices, interrupted: Interrupted, address: Address, purge: Purge
) -> None:
    interrupted.after_set = purge
    held_up(services, interrupted).store(address, old_answer())
    assert services.cache.lookup(address).answer is None


def test_a_store_that_is_held_up_before_the_tiers_does_not(
    services: ApiServices, interrupted: Interrupted, address: Address, purge: Purge
) -> None:
    services.cache.store(address, old_answer())
    interrupted.before_set = purge
    held_up(services, interrupted).store(address, old_answer())
    assert services.cache.lookup(address).answer is None


def test_what_is_stored_after_the_purge_is_served_by_both_tiers(
    services: ApiServices, address: Address, purge: Purge
) -> None:
    services.cache.store(address, old_answer())
    assert purge() == {"redis": 1, "memcached": 1}
    fresh = an_answer(now() + timedelta(seconds=2))
    services.cache.store(address, fresh)
    assert services.cache.lookup(address).visits[0].tier == "memcached"
    assert services.cache.recall(address) == fresh


def test_a_purge_while_many_read_and_store_leaves_nothing_behind(
    services: ApiServices, address: Address, purge: Purge
) -> None:
    stopping = threading.Event()

    def read() -> None:
        while not stopping.is_set():
            services.cache.lookup(address)

    with ThreadPoolExecutor(READERS) as pool:
        readers = [pool.submit(read) for _ in range(READERS)]
        try:
            for _ in range(ROUNDS):
                services.cache.l2.set(address.name(), _entry(services, address), 3600)
                services.cache.lookup(address)
                purge()
                assert services.cache.lookup(address).answer is None
        finally:
            stopping.set()
    assert all(reader.exception() is None for reader in readers)


def _entry(services: ApiServices, address: Address) -> bytes:
    """What the second tier holds for an old answer, written as a store would before any purge."""
    other = Address(address.namespace, "elsewhere", address.key)
    services.cache.store(other, old_answer())
    found = services.cache.l2.get(other.name())
    assert found is not None
    return found
