"""The requests of one connection: served in their order, and no faster than their client reads."""

import re

import pytest
from connected import Client, served

from api.http1.connection import MAX_PIPELINED
from api.http1.exchange import BUFFERED_BYTES, Exchange
from api.http1.head import Head

pytestmark = pytest.mark.usefixtures("socket_enabled")

GET = b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n"


def post(body: bytes, *lines: str, version: str = "1.1") -> bytes:
    head = "\r\n".join([f"POST /a HTTP/{version}", "Host: localhost", *lines, f"Content-Length: {len(body)}", "", ""])
    return head.encode() + body


async def waits(head: Head, exchange: Exchange) -> None:
    await exchange.disconnected()
    exchange.respond(200, [], head.path.encode())


async def declares_the_end(head: Head, exchange: Exchange) -> None:
    exchange.respond(200, [("Connection", "close")], head.path.encode())


def test_pipelined_requests_are_answered_in_their_order() -> None:
    async def ask(client: Client) -> list[bytes]:
        await client.send(b"".join(GET.replace(b"/a", path) for path in (b"/1", b"/2", b"/3")))
        return re.findall(rb"/[0-9](?!\.)", client.transport.sent)

    assert served(ask) == [b"/1", b"/2", b"/3"]


def test_as_many_requests_may_be_pipelined_as_documented() -> None:
    async def ask(client: Client) -> list[int]:
        await client.send(GET * MAX_PIPELINED)
        for _ in range(MAX_PIPELINED):
            await client.send(b"")
        return client.statuses

    assert served(ask) == [200] * MAX_PIPELINED


def test_one_request_more_is_refused_after_the_others_were_answered() -> None:
    async def ask(client: Client) -> tuple[list[int], bool]:
        await client.send(GET * (MAX_PIPELINED + 1))
        for _ in range(MAX_PIPELINED):
            await client.send(b"")
        return client.statuses, client.transport.has_eof

    assert served(ask) == ([*[200] * MAX_PIPELINED, 400], True)


def test_what_is_no_request_is_refused_after_those_before_it_were_answered() -> None:
    async def ask(client: Client) -> list[int]:
        await client.send(GET + GET + b"hello\r\n\r\n")
        return client.statuses

    assert served(ask) == [200, 200, 400]


def test_a_connection_with_two_requests_is_not_read() -> None:
    async def ask(client: Client) -> list[bool]:
        await client.send(GET)
        found = [client.transport.is_paused]
        await client.send(GET)
        return [*found, client.transport.is_paused]

    assert served(ask, waits) == [False, True]


def test_a_body_that_nobody_takes_is_not_read_further() -> None:
    async def ask(client: Client) -> bool:
        await client.send(post(b"")[:-5] + b"1000000\r\n\r\n")
        await client.send(b"a" * BUFFERED_BYTES)
        await client.send(b"a")
        return client.transport.is_paused

    assert served(ask, waits)


def test_a_body_that_is_taken_is_read_to_its_end() -> None:
    async def ask(client: Client) -> tuple[bool, int]:
        size = 3 * BUFFERED_BYTES
        whole = post(b"a" * size)
        for at in range(0, len(whole), BUFFERED_BYTES):
            await client.send(whole[at : at + BUFFERED_BYTES])
        return client.transport.is_paused, client.transport.sent.count(b"a" * size)

    assert served(ask) == (False, 1)


def test_no_request_is_served_while_its_client_reads_nothing() -> None:
    async def ask(client: Client) -> tuple[list[int], list[int]]:
        client.connection.pause_writing()
        await client.send(GET)
        await client.send(GET)
        before = client.statuses
        await client.read_all()
        return before, client.statuses

    assert served(ask) == ([], [200, 200])


def test_what_comes_after_a_response_that_closes_is_not_served() -> None:
    async def ask(client: Client) -> tuple[list[int], bool]:
        await client.send(GET + GET)
        client.connection.pause_writing()
        await client.read_all()
        return client.statuses, client.transport.is_aborted

    assert served(ask, declares_the_end) == ([200], False)


@pytest.mark.parametrize(("version", "says_so"), [("1.1", True), ("1.0", False)])
def test_who_waits_for_a_go_ahead_gets_it_in_a_version_that_has_it(version: str, says_so: bool) -> None:  # noqa: FBT001
    async def ask(client: Client) -> tuple[bool, list[int]]:
        whole = post(b"hello", "Expect: 100-continue", version=version)
        await client.send(whole[:-5])
        goes_ahead = client.transport.sent == b"HTTP/1.1 100 Continue\r\n\r\n"
        await client.send(whole[-5:])
        return goes_ahead, client.statuses[-1:]

    assert served(ask) == (says_so, [200])


def test_an_answer_to_head_has_the_length_of_one_to_get_and_no_body() -> None:
    async def ask(client: Client) -> bytes:
        await client.send(GET.replace(b"GET", b"HEAD"))
        return client.transport.sent

    sent = served(ask)
    assert (b"content-length: 2\r\n" in sent, sent.endswith(b"\r\n\r\n")) == (True, True)
