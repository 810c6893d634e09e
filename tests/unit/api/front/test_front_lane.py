import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest

from api.front.bodies import ClientGone
from api.front.lane import Lane
from shared.errors import NotFound, Overloaded

pytestmark = pytest.mark.usefixtures("socket_enabled")

T = TypeVar("T")


def run(call: Callable[[Lane], Coroutine[Any, Any, T]]) -> T:
    lane = Lane("test", threads=1, queue=1)
    try:
        return asyncio.run(asyncio.wait_for(call(lane), 30))
    finally:
        lane.close()


def test_a_call_runs_in_a_thread_of_the_lane() -> None:
    assert run(lambda lane: lane.run(lambda: threading.current_thread().name)).startswith("test")


def test_what_a_call_raises_is_raised() -> None:
    async def fail(lane: Lane) -> None:
        def call() -> None:
            raise NotFound

        with pytest.raises(NotFound):
            await lane.run(call)
        assert lane.inside == 0

    run(fail)


def test_a_call_whose_client_goes_while_it_waits_never_runs() -> None:
    async def leave(lane: Lane) -> list[str]:
        go, ran, gone = threading.Event(), list[str](), asyncio.get_running_loop().create_future()
        first = asyncio.ensure_future(lane.run(lambda: go.wait(10)))
        second = asyncio.ensure_future(lane.run(lambda: ran.append("second"), gone))
        await asyncio.sleep(0)
        gone.set_result(None)
        with pytest.raises(ClientGone):
            await second
        go.set()
        await first
        return [*ran, str(lane.inside)]

    assert run(leave) == ["0"]


def test_a_call_that_runs_goes_on_when_its_client_goes() -> None:
    async def leave(lane: Lane) -> int:
        started, go, gone = threading.Event(), threading.Event(), asyncio.get_running_loop().create_future()

        def call() -> int:
            started.set()
            go.wait(10)
            return 7

        running = asyncio.ensure_future(lane.run(call, gone))
        await asyncio.to_thread(started.wait, 10)
        gone.set_result(None)
        await asyncio.sleep(0)
        go.set()
        return await running

    assert run(leave) == 7


def test_one_more_than_the_queue_holds_is_refused_at_once() -> None:
    async def crowd(lane: Lane) -> list[int]:
        go = threading.Event()
        inside = [asyncio.ensure_future(lane.run(lambda: go.wait(10))) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await lane.run(lambda: 0)
        go.set()
        await asyncio.gather(*inside)
        return [await lane.run(lambda: 7)]

    assert run(crowd) == [7]
