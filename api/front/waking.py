"""What wakes a coroutine that waits for a job."""

import asyncio

from api.prefer_wait import Held


def awoken(held: Held) -> "asyncio.Future[None]":
    """Return a future that is done once the waiter of a held answer is woken. Any thread may wake it."""
    loop = asyncio.get_running_loop()
    woken = loop.create_future()

    def wake() -> None:
        loop.call_soon_threadsafe(_resolve, woken)

    held.services.waiters.when_woken(held.waiter, wake)
    return woken


def _resolve(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
