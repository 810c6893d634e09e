import asyncio
from collections.abc import Awaitable, Callable

import pytest

from api.front.crowds import Crowds

pytestmark = pytest.mark.usefixtures("socket_enabled")

FOLLOWERS = 3

Numbers = Crowds[str, int]


def crowd(lead: Callable[[Numbers], Awaitable[object]]) -> list[int | None]:
    """Let some follow a leader, from its beginning; return what they are told."""

    async def run() -> list[int | None]:
        crowds: Numbers = Crowds()
        leader = asyncio.ensure_future(lead(crowds))
        await asyncio.sleep(0)
        followers = [asyncio.ensure_future(crowds.follow("key")) for _ in range(FOLLOWERS)]
        await asyncio.gather(leader, return_exceptions=True)
        assert not crowds.is_led("key")
        return await asyncio.gather(*followers)

    return asyncio.run(run())


def test_those_who_follow_are_told_what_the_leader_found() -> None:
    async def lead(crowds: Numbers) -> None:
        with crowds.led("key") as tell:
            await asyncio.sleep(0.01)
            await asyncio.to_thread(tell, 7)

    assert crowd(lead) == [7] * FOLLOWERS


def test_those_who_follow_go_on_without_it_if_the_leader_finds_nothing() -> None:
    async def lead(crowds: Numbers) -> None:
        with crowds.led("key"):
            await asyncio.sleep(0.01)

    assert crowd(lead) == [None] * FOLLOWERS


@pytest.mark.parametrize("error", [RuntimeError, asyncio.CancelledError])
def test_those_who_follow_go_on_without_it_if_the_leader_fails(error: type[BaseException]) -> None:
    async def lead(crowds: Numbers) -> None:
        with crowds.led("key"):
            await asyncio.sleep(0.01)
            raise error

    assert crowd(lead) == [None] * FOLLOWERS


def test_those_who_need_something_else_are_not_led() -> None:
    async def run() -> None:
        crowds: Numbers = Crowds()
        with crowds.led("key"):
            assert crowds.is_led("key")
            assert not crowds.is_led("another")

    asyncio.run(run())
