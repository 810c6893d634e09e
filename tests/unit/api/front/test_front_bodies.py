"""Reading bodies, from streams as the server gives them. An event loop wakes itself by a pair of sockets."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any, TypeVar

import pytest

from api.front import bodies as front_bodies
from api.front.bodies import SMALL_BYTES, Bodies, Body, ClientGone
from api.front.budget import ByteBudget
from shared.errors import MalformedRequest, Overloaded, RequestTimedOut

pytestmark = pytest.mark.usefixtures("socket_enabled")

T = TypeVar("T")
LIMIT = 1_000_000
BUDGET = 4_000_000
CROWD = 2_000


class Stream:
    """Chunks, a pause where there is a number of seconds, then the end. It may be iterated once, as the server's."""

    def __init__(self, *parts: bytes | float) -> None:
        self._parts: Iterator[bytes | float] = iter(parts)
        self._begun = False
        self.taken = 0

    is_complete = True

    def __aiter__(self) -> "Stream":
        assert not self._begun
        self._begun = True
        return self

    async def __anext__(self) -> bytes:
        part = next(self._parts, b"")
        if isinstance(part, float):
            await asyncio.sleep(part)
            return await self.__anext__()
        self.taken += len(part)
        return part


FOR_EVER = 3600.0


def run(call: Callable[[], Coroutine[Any, Any, T]]) -> T:
    return asyncio.run(asyncio.wait_for(call(), 30))


def read(stream: Stream, length: int | None = None, bodies: Bodies | None = None) -> Body:
    reading = bodies or Bodies(BUDGET, 10, CROWD)
    return run(lambda: reading.read(stream, length, LIMIT))


def test_a_body_of_known_length_is_read_to_its_end() -> None:
    assert read(Stream(b"ab", b"cd", FOR_EVER), 4).content == b"abcd"


def test_a_chunked_body_is_read_to_its_end() -> None:
    body = read(Stream(b"ab", b"cd"))
    assert (body.content, body.whole) == (b"abcd", True)


def test_a_large_body_is_read_to_its_end() -> None:
    chunks = [b"x" * SMALL_BYTES] * 10
    assert len(read(Stream(*chunks)).content) == 10 * SMALL_BYTES


def test_a_body_that_is_said_to_be_too_long_is_not_kept() -> None:
    body = read(Stream(b"x" * LIMIT, b"x" * LIMIT), 2 * LIMIT)
    assert (body.content, body.whole) == (b"", True)


def test_a_body_that_turns_out_too_long_is_kept_to_where_it_shows() -> None:
    stream = Stream(*[b"x" * 100_000] * 30)
    body = read(stream)
    assert (LIMIT < len(body.content) <= LIMIT + 100_000, stream.taken) == (True, 3_000_000)


def test_the_rest_of_a_body_without_an_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front_bodies, "DRAIN_PAUSE_SECONDS", 0.01)
    assert read(Stream(FOR_EVER), 2 * LIMIT).whole is False


def test_a_body_that_does_not_arrive_in_time_is_given_up() -> None:
    with pytest.raises(RequestTimedOut):
        read(Stream(b"a", FOR_EVER), 4, Bodies(BUDGET, 0.01, CROWD))


def test_a_body_that_has_arrived_while_the_event_loop_was_held_up_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front_bodies, "LOOK_SECONDS", 0.1)
    bodies = Bodies(BUDGET, 0.3, CROWD)

    async def held_up() -> Body:
        asyncio.get_running_loop().call_later(0.02, time.sleep, 0.5)
        return await bodies.read(Stream(0.05, b"ab"), 2, LIMIT)

    assert run(held_up).content == b"ab"


def test_a_body_that_trickles_is_given_up_long_before_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front_bodies, "WINDOW_SECONDS", 0.05)
    with pytest.raises(RequestTimedOut):
        read(Stream(*[part for _ in range(1000) for part in (b"a", 0.01)]), 1000, Bodies(BUDGET, FOR_EVER, CROWD))


def test_a_slow_body_that_keeps_its_rate_may_take_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front_bodies, "WINDOW_SECONDS", 2.0)
    monkeypatch.setattr(front_bodies, "WINDOW_BYTES", 1)
    assert len(read(Stream(*[part for _ in range(30) for part in (b"a", 0.1)]), 30).content) == 30


@pytest.mark.parametrize(("length", "raised"), [(4, ClientGone), (None, MalformedRequest)], ids=["length", "chunks"])
def test_a_body_that_breaks_off_is_none(length: int | None, raised: type[Exception]) -> None:
    stream = Stream(b"{}")
    stream.is_complete = False
    with pytest.raises(raised):
        read(stream, length)


def test_the_oldest_of_too_many_small_bodies_is_given_up() -> None:
    bodies = Bodies(BUDGET, FOR_EVER, 2)

    async def crowd() -> tuple[list[bool], int]:
        waiting = [asyncio.ensure_future(bodies.read(Stream(b"a", FOR_EVER), 4, LIMIT)) for _ in range(3)]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert isinstance(waiting[0].exception(), Overloaded)
        done = [each.done() for each in waiting], bodies.arriving
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return done

    assert run(crowd) == ([True, False, False], 2)


def test_small_bodies_that_wait_to_be_served_are_bounded_too() -> None:
    bodies = Bodies(8 * SMALL_BYTES, 10, CROWD)

    async def crowd() -> None:
        kept = [await bodies.read(Stream(b"x" * SMALL_BYTES), SMALL_BYTES, LIMIT) for _ in range(2)]
        with pytest.raises(Overloaded):
            await bodies.read(Stream(b"x" * SMALL_BYTES), SMALL_BYTES, LIMIT)
        bodies.let_go(kept[0])
        await bodies.read(Stream(b"x" * SMALL_BYTES), SMALL_BYTES, LIMIT)

    run(crowd)


def test_a_large_body_waits_until_another_has_been_served() -> None:
    bodies = Bodies(LIMIT, 10, CROWD)
    chunks = [b"x" * SMALL_BYTES] * 10

    async def two() -> tuple[bool, int]:
        first = await bodies.read(Stream(*chunks), 10 * SMALL_BYTES, LIMIT)
        second = asyncio.ensure_future(bodies.read(Stream(*chunks), 10 * SMALL_BYTES, LIMIT))
        await asyncio.sleep(0.05)
        waited = not second.done()
        bodies.let_go(first)
        return waited, len((await second).content)

    assert run(two) == (True, 10 * SMALL_BYTES)


def test_what_bodies_occupy_is_known_until_they_are_served() -> None:
    bodies = Bodies(LIMIT, 10, CROWD)
    chunks = [b"x" * SMALL_BYTES] * 10

    async def two() -> list[int]:
        small = await bodies.read(Stream(b"abc"), 3, LIMIT)
        seen = [bodies.taken]
        large = await bodies.read(Stream(*chunks), 10 * SMALL_BYTES, LIMIT)
        seen.append(bodies.taken)
        for body in (small, large):
            bodies.let_go(body)
        return [*seen, bodies.taken]

    assert run(two) == [3, 3 + 10 * SMALL_BYTES, 0]


def test_a_large_body_whose_turn_does_not_come_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front_bodies, "TURN_SECONDS", 0.01)
    bodies = Bodies(LIMIT, 10, CROWD)
    chunks = [b"x" * SMALL_BYTES] * 10

    async def two() -> None:
        await bodies.read(Stream(*chunks), 10 * SMALL_BYTES, LIMIT)
        with pytest.raises(Overloaded):
            await bodies.read(Stream(*chunks), 10 * SMALL_BYTES, LIMIT)

    run(two)


def test_a_body_that_fails_gives_back_what_it_held() -> None:
    bodies = Bodies(LIMIT, 0.05, CROWD)
    chunks = [b"x" * SMALL_BYTES] * 10

    async def two() -> int:
        with pytest.raises(RequestTimedOut):
            await bodies.read(Stream(*chunks[:5], FOR_EVER), 10 * SMALL_BYTES, LIMIT)
        return len((await bodies.read(Stream(*chunks), 10 * SMALL_BYTES, LIMIT)).content)

    assert run(two) == 10 * SMALL_BYTES


def test_a_budget_serves_in_turn_and_never_more_than_there_is() -> None:
    budget = ByteBudget(10)
    order: list[int] = []

    async def take(size: int) -> None:
        await budget.take(size, 5)
        order.append(size)

    async def all_of_them() -> None:
        held = await budget.take(7, 5)
        waiting = [asyncio.ensure_future(take(size)) for size in (9, 1, 2)]
        await asyncio.sleep(0)
        assert order == []
        budget.give_back(held)
        await asyncio.wait(waiting[:2])
        assert order == [9, 1]
        budget.give_back(9)
        await waiting[2]

    run(all_of_them)
    assert order == [9, 1, 2]


def test_who_gives_up_waiting_is_in_nobodys_way() -> None:
    budget = ByteBudget(10)

    async def with_a_short_timeout() -> int:
        await budget.take(8, 5)
        greedy: Awaitable[int] = asyncio.ensure_future(budget.take(9, 0.01))
        modest = asyncio.ensure_future(budget.take(2, 5))
        with pytest.raises(Overloaded):
            await greedy
        return await modest

    assert run(with_a_short_timeout) == 2


def test_who_wants_more_than_there_is_gets_all() -> None:
    assert run(lambda: ByteBudget(10).take(99, 5)) == 10
