"""Crowds: calls that need the same at the same time. One leads and finds it, those who come meanwhile wait for that."""

import asyncio
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")


class _Crowd(Generic[Found]):
    __slots__ = ("found", "over")

    def __init__(self) -> None:
        self.found: Found | None = None
        self.over = asyncio.Event()


class Crowds(Generic[Key, Found]):
    """The crowds of one event loop. It knows nothing of what they need."""

    def __init__(self) -> None:
        self._crowds: dict[Key, _Crowd[Found]] = {}

    @contextmanager
    def led(self, key: Key) -> Iterator[Callable[[Found], None]]:
        """Lead those who need the same. Nobody may lead them already.

        The value takes what was found, from any thread. Then the others go on, without it at the end of the block.
        """
        crowd: _Crowd[Found] = _Crowd()
        self._crowds[key] = crowd
        loop = asyncio.get_running_loop()

        def end() -> None:
            if self._crowds.get(key) is crowd:
                del self._crowds[key]
            crowd.over.set()

        def tell(found: Found) -> None:
            crowd.found = found
            loop.call_soon_threadsafe(end)

        try:
            yield tell
        finally:
            end()

    def is_led(self, key: Key) -> bool:
        """Return whether a call leads those who need this."""
        return key in self._crowds

    async def follow(self, key: Key) -> Found | None:
        """Wait for the call that leads, and return what it found; None if it found nothing."""
        crowd = self._crowds[key]
        await crowd.over.wait()
        return crowd.found
