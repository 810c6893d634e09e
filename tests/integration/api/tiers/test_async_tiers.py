"""The asynchronous clients of the tiers on real servers: they do what the blocking clients do, and fail as fast."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

import pytest

from api.tiers.connection import PipelinedConnection
from api.tiers.memcached import AsyncMemcached, parse
from api.tiers.redis import AsyncRedis, is_plain
from local.servers.memcached import MemcachedServer
from local.servers.valkey import Valkey
from shared.cache.memcached import MemcachedTier
from shared.cache.redis import RedisTier
from shared.environment.addresses import host_port
from shared.errors import ServerDown
from shared.redis import connect
from tests.freezing import frozen_process
from tests.servers import Servers, session_servers

T = TypeVar("T")
MINUTE = 60
VALUES = [b"", b"value", b"END\r\n", b"VALUE key 0 3 1\r\nabc\r\nEND\r\n", b"\r\n", bytes(range(256)), bytes(900_000)]
CALLERS = 500

Run = Callable[[Awaitable[T]], T]


@pytest.fixture
def run() -> Iterator[Callable[[Awaitable[object]], object]]:
    """Run a coroutine in the event loop of the test."""
    with asyncio.Runner() as runner:

        async def awaited(what: Awaitable[object]) -> object:
            return await what

        yield lambda what: runner.run(awaited(what))
        # Transports that were aborted end in the loop's next turn.
        runner.run(asyncio.sleep(0.01))


@pytest.fixture
def first() -> Iterator[MemcachedTier]:
    servers = session_servers()
    servers.empty()
    tier = MemcachedTier((host_port(servers.memcached.address, None),))
    yield tier
    tier.close()


@pytest.fixture
def second() -> Iterator[RedisTier]:
    servers = session_servers()
    servers.empty()
    tier = RedisTier(connect(servers.valkey.url(0)))
    yield tier
    tier.close()


@pytest.fixture
def memcached(first: MemcachedTier, run: Run[object]) -> Iterator[AsyncMemcached]:
    del run  # only that the loop outlives the client
    client = AsyncMemcached(first)
    yield client
    client.close()


@pytest.fixture
def redis(servers: Servers, second: RedisTier, run: Run[object]) -> Iterator[AsyncRedis]:
    del run  # as above
    client = AsyncRedis(servers.valkey.url(0), second.breaker)
    yield client
    client.close()


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_what_the_blocking_client_of_memcached_stores_is_read_with_its_version(
    first: MemcachedTier, memcached: AsyncMemcached, run: Run[object], value: bytes
) -> None:
    first.set("key", value, MINUTE)
    assert run(memcached.get_versioned("key")) == first.get_versioned("key") == (value, first.get_versioned("key")[1])


def test_an_unknown_key_of_memcached_is_a_miss(memcached: AsyncMemcached, run: Run[object]) -> None:
    assert run(memcached.get_versioned("nothing")) == (None, None)


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_what_is_stored_in_memcached_is_read_by_the_blocking_client(
    first: MemcachedTier, memcached: AsyncMemcached, run: Run[object], value: bytes
) -> None:
    assert run(memcached.set_if_unchanged("key", value, MINUTE, None))
    assert first.get("key") == value


def test_a_value_of_memcached_is_replaced_only_if_it_has_not_changed(
    first: MemcachedTier, memcached: AsyncMemcached, run: Run[object]
) -> None:
    first.set("key", b"old", MINUTE)
    _, version = first.get_versioned("key")
    assert not run(memcached.set_if_unchanged("key", b"new", MINUTE, None))
    assert run(memcached.set_if_unchanged("key", b"new", MINUTE, version))
    assert not run(memcached.set_if_unchanged("key", b"newer", MINUTE, version))
    assert first.get("key") == b"new"


def test_a_value_that_memcached_refuses_leaves_no_older_one(
    first: MemcachedTier, memcached: AsyncMemcached, run: Run[object]
) -> None:
    first.set("key", b"old", MINUTE)
    _, version = first.get_versioned("key")
    with pytest.raises(ServerDown):
        run(memcached.set_if_unchanged("key", bytes(2_000_000), MINUTE, version))
    assert first.get("key") is None
    assert not any(breaker.is_open for breaker in first.breakers)


@pytest.mark.parametrize("value", [*VALUES, b"$-1\r\n", bytes(5_000_000)], ids=range(len(VALUES) + 2))
def test_what_the_blocking_client_of_redis_stores_is_read(
    second: RedisTier, redis: AsyncRedis, run: Run[object], value: bytes
) -> None:
    second.set("key", value, MINUTE)
    assert run(redis.get("key")) == value


def test_an_unknown_key_of_redis_is_a_miss(redis: AsyncRedis, run: Run[object]) -> None:
    assert run(redis.get("nothing")) is None


def test_a_key_of_another_type_in_redis_is_no_value(second: RedisTier, redis: AsyncRedis, run: Run[object]) -> None:
    second.link(["key", "other"], MINUTE)
    with pytest.raises(ServerDown):
        run(redis.get("askonce:links:key"))
    assert run(redis.get("nothing")) is None


def test_many_callers_at_once_each_get_their_own_value(
    first: MemcachedTier, memcached: AsyncMemcached, run: Run[object]
) -> None:
    for number in range(CALLERS):
        first.set(f"key{number}", str(number).encode() * (number + 1), MINUTE)

    async def all_of_them() -> list[bytes | None]:
        return [
            value for value, _ in await asyncio.gather(*(memcached.get_versioned(f"key{n}") for n in range(CALLERS)))
        ]

    assert run(all_of_them()) == [str(number).encode() * (number + 1) for number in range(CALLERS)]


def test_a_caller_that_gives_up_leaves_the_replies_of_the_others_alone(
    first: MemcachedTier, memcached: AsyncMemcached, run: Run[object]
) -> None:
    first.set("one", b"1", MINUTE)
    first.set("two", b"2", MINUTE)

    async def one_gives_up() -> object:
        await memcached.get_versioned("one")
        leaving = asyncio.ensure_future(memcached.get_versioned("one"))
        await asyncio.sleep(0)
        leaving.cancel()
        return (await memcached.get_versioned("two"))[0]

    assert run(one_gives_up()) == b"2"


@dataclass(frozen=True)
class Own:
    """A memcached of the test's own, with a blocking client and the asynchronous one beside it."""

    server: MemcachedServer
    tier: MemcachedTier
    client: AsyncMemcached


@pytest.fixture
def own_tier(own_memcached: MemcachedServer, run: Run[object]) -> Iterator[Own]:
    del run  # as above
    with closing(MemcachedTier((host_port(own_memcached.address, None),))) as tier, closing(AsyncMemcached(tier)) as it:
        yield Own(own_memcached, tier, it)


def test_a_frozen_server_is_down_for_all_who_wait_and_then_at_once(own_tier: Own, run: Run[object]) -> None:
    async def ask() -> list[object]:
        asked = (own_tier.client.get_versioned("key") for _ in range(10))
        return list(await asyncio.gather(*asked, return_exceptions=True))

    run(own_tier.client.get_versioned("key"))
    assert own_tier.server.pid is not None
    with frozen_process(own_tier.server.pid):
        for _ in range(3):
            assert all(isinstance(each, ServerDown) for each in run(ask()))  # type: ignore[attr-defined]
        assert own_tier.tier.breakers[0].is_open


def test_a_server_that_was_restarted_is_asked_again(own_tier: Own, run: Run[object]) -> None:
    run(own_tier.client.get_versioned("key"))
    own_tier.server.kill()
    own_tier.server.start()
    with pytest.raises(ServerDown):
        run(own_tier.client.get_versioned("key"))
    assert run(own_tier.client.get_versioned("key")) == (None, None)
    assert not own_tier.tier.breakers[0].is_open


Ask = Callable[[AsyncMemcached], Awaitable[object]]


async def ask_a_server_that_says(said: bytes, ask: Ask) -> object:
    """Ask a server that says the same to every first line, whatever it is, and hangs up after the second."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(said)
        await reader.readline()
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        tier = MemcachedTier((server.sockets[0].getsockname()[:2],))
        client = AsyncMemcached(tier)
        try:
            return await ask(client)
        finally:
            client.close()
            tier.close()


@pytest.mark.parametrize(
    "said", [b"NONSENSE", b"VALUE key 0 3 1\r\nabcdef\r\nEND\r\n", bytes(2000), b"VALUE key 0 99999 1\r\n"]
)
def test_a_server_that_talks_nonsense_or_breaks_off_is_down(run: Run[object], said: bytes) -> None:
    with pytest.raises(ServerDown):
        run(ask_a_server_that_says(said, lambda client: client.get_versioned("key")))


def test_a_reply_that_nobody_asked_for_is_given_to_nobody(run: Run[object]) -> None:
    async def ask_twice(client: AsyncMemcached) -> object:
        return [await client.get_versioned("first"), await client.get_versioned("second")]

    said = b"END\r\nVALUE first 0 1 1\r\nx\r\nEND\r\n"
    assert run(ask_a_server_that_says(said, ask_twice)) == [(None, None), (None, None)]


def test_a_connection_that_is_closed_by_now_refuses_at_once_instead_of_waiting_for_ever(run: Run[object]) -> None:
    async def ask_after_the_end(server_address: tuple[str, int]) -> object:
        failures: list[Exception] = []
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            lambda: PipelinedConnection(parse, 0.1, failures.append), *server_address
        )
        connection.close()
        with pytest.raises(ServerDown):
            await connection.ask(b"gets key\r\n")
        return failures

    async def listen_and_ask() -> object:
        async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0) as server:
            return await ask_after_the_end(server.sockets[0].getsockname()[:2])

    assert run(listen_and_ask()) == []


def test_a_server_that_nobody_runs_is_down(run: Run[object]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    tier = MemcachedTier((("127.0.0.1", port),))
    with pytest.raises(ServerDown):
        run(AsyncMemcached(tier).get_versioned("key"))
    tier.close()


def test_a_wrong_password_is_a_server_that_is_down(own_valkey: Valkey, run: Run[object]) -> None:
    url = own_valkey.url(0).replace("redis://:", "redis://:wrong")
    tier = RedisTier(connect(url))
    client = AsyncRedis(url, tier.breaker)
    with pytest.raises(ServerDown):
        run(client.get("key"))
    client.close()
    tier.close()


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        *((url, True) for url in ("redis://localhost", "redis://:secret@host:1/2", "redis://me:secret@[::1]:6379/0")),
        *((url, False) for url in ("rediss://localhost", "unix:///run/redis.sock", "redis://host?socket_timeout=1")),
    ],
)
def test_only_plain_addresses_of_redis_are_understood(url: str, plain: bool) -> None:  # noqa: FBT001  expected
    assert is_plain(url) is plain


def test_the_database_of_an_address_is_chosen(servers: Servers, run: Run[object]) -> None:
    tier = RedisTier(connect(servers.valkey.url(3)))
    tier.set("key", b"in 3", MINUTE)
    client = AsyncRedis(servers.valkey.url(3), tier.breaker)
    assert run(client.get("key")) == b"in 3"
    tier.delete(["key"])
    client.close()
    tier.close()
