import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import pytest

from api.front.unread import LargeResponses, UnreadBytes
from api.front.wsgi import Response
from shared.errors import Overloaded
from tests.integration.front_client import Received

pytestmark = pytest.mark.usefixtures("socket_enabled")

T = TypeVar("T")
TOTAL = 100


class Client(Received):
    """A client that reads everything once a test says so."""

    def __init__(self) -> None:
        super().__init__(b"")
        self.has_read = asyncio.Event()

    async def drained(self) -> None:
        await self.has_read.wait()


def run(call: Callable[[LargeResponses], Coroutine[Any, Any, T]]) -> T:
    return asyncio.run(asyncio.wait_for(call(LargeResponses(UnreadBytes(TOTAL))), 30))


def a_response(size: int) -> Response:
    return Response(200, [("Content-Length", str(size))], b"x" * size)


def test_a_response_is_sent_whole() -> None:
    async def send(responses: LargeResponses) -> tuple[bytes, Sequence[tuple[str, str]]]:
        client = Client()
        responses.send(client, a_response(60))
        return client.body, client.headers

    assert run(send) == (b"x" * 60, [("Content-Length", "60")])


def test_more_than_may_be_unread_is_refused() -> None:
    async def send(responses: LargeResponses) -> None:
        responses.send(Client(), a_response(60))
        refused = Client()
        with pytest.raises(Overloaded):
            responses.send(refused, a_response(60))
        assert not refused.body

    run(send)


def test_what_has_been_read_makes_room() -> None:
    async def send(responses: LargeResponses) -> None:
        first = Client()
        responses.send(first, a_response(TOTAL))
        assert responses.budget.unread == TOTAL
        first.has_read.set()
        while responses.budget.unread:  # noqa: ASYNC110  there is no event for it
            await asyncio.sleep(0)
        responses.send(Client(), a_response(TOTAL))

    run(send)
