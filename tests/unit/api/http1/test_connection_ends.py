"""When a connection ends, and how: by its clock, by what its client does, and when its server is told to stop."""

import asyncio

import pytest
from connected import CLOSED, UNREAD_SECONDS, Client, served, settled

from api.http1.connection import HEAD_SECONDS, LINGER_SECONDS
from api.http1.exchange import Exchange
from api.http1.head import Head

pytestmark = pytest.mark.usefixtures("socket_enabled")

GET = b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n"
CLOSING = b"GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
HALF = b"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhello"


def after(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def never(head: Head, exchange: Exchange) -> None:
    await exchange.disconnected()
    exchange.respond(200, [], head.path.encode())


async def fails(head: Head, exchange: Exchange) -> None:
    raise ValueError(head.path, exchange)


async def says_no(head: Head, exchange: Exchange) -> None:
    exchange.respond(413, [], head.path.encode())


@pytest.mark.parametrize("begun", [b"", b"GET /a HTTP/1.1\r\nHo"], ids=["nothing", "half a head"])
def test_a_client_that_sends_no_whole_head_is_closed_in_time(begun: bytes) -> None:
    async def wait(client: Client) -> list[bool]:
        if begun:
            await client.send(begun)
        found = []
        for seconds in (HEAD_SECONDS - 1, HEAD_SECONDS + 1):
            client.connection.look(after(seconds))
            found.append(client.transport.is_closed)
        return found

    assert served(wait) == [False, True]


def test_the_time_of_a_head_begins_anew_with_each_response() -> None:
    async def wait(client: Client) -> bool:
        client.connection._quiet_since -= HEAD_SECONDS  # noqa: SLF001  as if it had been idle so long
        await client.send(GET)
        client.connection.look(after(1))
        return client.transport.is_open

    assert served(wait)


def test_a_request_that_is_served_may_take_any_time() -> None:
    async def wait(client: Client) -> bool:
        await client.send(GET)
        client.connection.look(after(1000 * HEAD_SECONDS))
        return client.transport.is_open

    assert served(wait, never)


def test_a_client_that_still_reads_is_not_idle() -> None:
    async def wait(client: Client) -> list[bool]:
        client.connection.pause_writing()
        client.connection.look(after(2 * HEAD_SECONDS))
        found = [client.transport.is_open]
        await client.read_all()
        client.connection.look(after(HEAD_SECONDS - 1))
        found.append(client.transport.is_open)
        client.connection.look(after(HEAD_SECONDS + 1))
        return [*found, client.transport.is_open]

    assert served(wait) == [True, True, False]


def looks(client: Client, *seconds: float, taking: int = 0) -> list[bool]:
    """Look after these times, before each of which so many bytes are taken; return whether the client was cut off."""
    found = []
    for each in seconds:
        client.transport.untaken = max(0, client.transport.untaken - taking)
        client.connection.look(after(each))
        assert client.transport.is_reset == client.transport.is_aborted
        found.append(client.transport.is_reset)
    return found


@pytest.mark.parametrize("taking", [0, 100], ids=["nothing", "next to nothing"])
def test_a_client_that_takes_nothing_of_its_response_is_cut_off(taking: int) -> None:
    async def wait(client: Client) -> list[bool]:
        await client.send(GET)
        client.transport.untaken = 10_000
        return looks(client, 1, UNREAD_SECONDS, UNREAD_SECONDS + 2, taking=taking)

    assert served(wait) == [False, False, True]


def test_a_client_that_takes_its_response_slowly_is_not_cut_off() -> None:
    async def wait(client: Client) -> list[bool]:
        await client.send(GET)
        client.transport.untaken = 10_000
        return looks(client, *(10.0 * look for look in range(1, 9)), taking=1_024)

    assert not any(served(wait))


def test_a_client_that_takes_nothing_after_a_pause_has_its_time_from_then_on() -> None:
    async def wait(client: Client) -> list[bool]:
        await client.send(GET)
        found = looks(client, 1)
        await client.send(GET)
        client.transport.untaken = 10_000
        return found + looks(client, 3 * UNREAD_SECONDS, 4 * UNREAD_SECONDS - 1, 4 * UNREAD_SECONDS + 1)

    assert served(wait) == [False, False, False, True]


def test_a_connection_whose_response_is_not_taken_yet_is_closed_once_it_is() -> None:
    async def ask(client: Client) -> list[bool]:
        client.transport.untaken = 10_000
        await client.send(CLOSING)
        client.connection.look(after(LINGER_SECONDS + 1))
        found = [client.transport.has_eof, client.transport.is_open, client.transport.is_aborted]
        client.transport.untaken = 0
        client.connection.look(after(LINGER_SECONDS + 2))
        return [*found, client.transport.is_aborted]

    assert served(ask) == [True, False, False, True]


def test_a_client_that_has_shut_its_side_takes_its_response_before_the_connection_is_closed() -> None:
    async def shut(client: Client) -> list[bool]:
        client.transport.untaken = 10_000
        await client.send(GET)
        client.connection.eof_received()
        client.connection.look(after(1))
        found = [client.transport.is_closed, client.transport.is_aborted]
        client.transport.untaken = 0
        client.connection.look(after(1))
        return [*found, client.transport.is_aborted]

    assert served(shut) == [False, False, True]


def test_a_client_that_has_reset_the_connection_leaves_nothing_to_wait_for() -> None:
    async def shut(client: Client) -> list[bool]:
        client.transport.untaken = 10_000
        await client.send(GET)
        client.connection.eof_received()
        client.transport.state = CLOSED
        client.connection.look(after(1))
        return [client.transport.is_aborted, client.transport.is_reset]

    assert served(shut) == [True, False]


@pytest.mark.parametrize("is_closing", [False, True])
def test_a_server_that_stops_leaves_to_the_system_what_it_has(is_closing: bool) -> None:  # noqa: FBT001
    async def stop(client: Client) -> bool:
        client.transport.untaken = 10_000
        await client.send(CLOSING if is_closing else GET)
        client.connection.retire()
        client.connection.look(after(LINGER_SECONDS + 1))
        return client.transport.is_open

    assert served(stop) is False


def test_a_server_that_stops_sends_what_the_system_has_not_taken() -> None:
    async def stop(client: Client) -> list[bool]:
        client.transport.reads_nothing = True
        await client.send(GET)
        client.connection.retire()
        client.connection.look(after(1))
        return [client.transport.is_closed, client.transport.is_aborted]

    assert served(stop) == [False, False]


def test_what_a_refused_client_still_sends_is_read_for_a_while() -> None:
    async def refuse(client: Client) -> list[bool]:
        await client.send(HALF)
        found = [client.transport.has_eof, client.transport.is_paused]
        await client.send(b"x" * 1000)
        for seconds in (LINGER_SECONDS - 1, LINGER_SECONDS + 1):
            client.connection.look(after(seconds))
            found.append(client.transport.is_aborted)
        return found

    assert served(refuse, says_no) == [True, False, False, True]


def test_who_asks_for_a_close_gets_one_after_the_response() -> None:
    async def ask(client: Client) -> tuple[list[int], bool]:
        await client.send(CLOSING)
        return client.statuses, client.transport.is_closed

    assert served(ask) == ([200], True)


def test_a_client_that_shuts_its_side_within_a_body_is_told_and_closed() -> None:
    async def shut(client: Client) -> tuple[bool, list[int], bool]:
        await client.send(HALF)
        stays = client.connection.eof_received()
        await client.send(b"")
        return stays, client.statuses, client.transport.is_closed

    assert served(shut) == (True, [400], True)


def test_nobody_waits_for_a_client_that_has_shut_its_side_but_it_gets_its_responses() -> None:
    async def shut(client: Client) -> tuple[bool, list[int], bool]:
        await client.send(GET + GET)
        stays = client.connection.eof_received()
        await settled()
        return stays, client.statuses, client.transport.is_closed

    async def once_gone(_: Head, exchange: Exchange) -> None:
        await exchange.disconnected()
        exchange.respond(202, [], b"")

    assert served(shut, once_gone) == (True, [202, 202], True)


def test_an_idle_connection_ends_with_its_client() -> None:
    async def shut(client: Client) -> bool:
        await client.send(GET)
        client.connection.eof_received()
        return client.transport.is_closed

    assert served(shut)


def test_who_serves_a_lost_client_is_told() -> None:
    async def lose(client: Client) -> tuple[bytes, bool]:
        await client.send(GET)
        client.connection.connection_lost(None)
        await client.send(b"")
        return client.transport.sent, client.lost == [client.connection]

    assert served(lose, never) == (b"", True)


def test_an_error_that_nobody_answers_ends_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    async def ask(client: Client) -> tuple[bytes, bool]:
        await client.send(GET)
        return client.transport.sent, client.transport.is_aborted

    assert served(ask, fails) == (b"", True)
    assert caplog.messages == ["Unexpected error"]


def test_an_idle_connection_is_closed_when_its_server_stops() -> None:
    async def stop(client: Client) -> bool:
        client.connection.retire()
        return client.transport.is_closed

    assert served(stop)


@pytest.mark.parametrize("was_open", [False, True], ids=["not yet", "no more"])
def test_a_server_may_stop_while_a_connection_is_not_open(was_open: bool) -> None:  # noqa: FBT001
    async def stop() -> bool:
        client = Client(never)
        if was_open:
            client.connect()
            client.connection.connection_lost(None)
        client.connection.retire()
        return client.transport.is_open

    assert asyncio.run(stop())


def test_a_stream_that_had_begun_when_its_server_was_told_to_stop_is_the_last_response() -> None:
    async def stop(client: Client) -> tuple[bool, bool]:
        await client.send(GET)
        client.connection.retire()
        open_until_the_end = client.transport.is_open
        await client.send(b"")
        return open_until_the_end, client.transport.is_closed

    async def streams(head: Head, exchange: Exchange) -> None:
        stream = exchange.begin(200, [])
        stream.send(head.path.encode())
        await asyncio.sleep(0)
        while not exchange._channel.is_retired:  # noqa: ASYNC110, SLF001  there is no event for it
            await asyncio.sleep(0)
        stream.end()

    assert served(stop, streams) == (True, True)
