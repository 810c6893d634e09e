import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest
from granian.rsgi import ProtocolClosed

from api.front import unread
from api.front.unread import LargeResponses, UnreadBytes
from api.front.wsgi import Response
from shared.errors import Overloaded

pytestmark = pytest.mark.usefixtures("socket_enabled")

T = TypeVar("T")
TOTAL = 100


class Client:
    """Granian's side of one request, whose client reads everything once a test says so."""

    def __init__(self) -> None:
        self.received = b""
        self.headers: list[tuple[str, str]] = []
        self.has_read = False
        self.receives = asyncio.Event()

    def response_stream(self, _status: int, headers: list[tuple[str, str]]) -> "Client":
        self.headers = headers
        return self

    async def send_bytes(self, content: bytes) -> None:
        if self.has_read:
            raise ProtocolClosed
        self.received += content
        self.receives.set()


def run(call: Callable[[LargeResponses], Coroutine[Any, Any, T]], monkeypatch: pytest.MonkeyPatch) -> T:
    monkeypatch.setattr(unread, "LOOK_SECONDS", 0.001)
    return asyncio.run(asyncio.wait_for(call(LargeResponses(UnreadBytes(TOTAL))), 30))


def a_response(size: int) -> Response:
    return Response(200, [("Content-Length", str(size))], b"x" * size)


def test_a_response_is_sent_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    async def send(responses: LargeResponses) -> bytes:
        client = Client()
        responses.send(client, a_response(60))
        await client.receives.wait()
        client.has_read = True
        return client.received

    assert run(send, monkeypatch) == b"x" * 60


@pytest.mark.parametrize("headers", [[], [("content-length", "60")]], ids=["by the front", "by Flask"])
def test_a_client_is_told_once_where_a_response_ends(
    headers: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def send(responses: LargeResponses) -> list[tuple[str, str]]:
        client = Client()
        responses.send(client, Response(200, headers, b"x" * 60))
        return client.headers

    assert run(send, monkeypatch) == [("Content-Length", "60")]


def test_more_than_may_be_unread_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def send(responses: LargeResponses) -> None:
        responses.send(Client(), a_response(60))
        with pytest.raises(Overloaded):
            responses.send(Client(), a_response(60))

    run(send, monkeypatch)


def test_what_has_been_read_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    async def send(responses: LargeResponses) -> None:
        first = Client()
        responses.send(first, a_response(TOTAL))
        assert responses.budget.unread == TOTAL
        first.has_read = True
        while responses.budget.unread:  # noqa: ASYNC110  there is no event for it
            await asyncio.sleep(0.001)
        responses.send(Client(), a_response(TOTAL))

    run(send, monkeypatch)
