"""Group commit: what several threads write at the same time shares one transaction.

A thread that finds nobody writing writes at once, so alone nobody waits. Threads that come meanwhile are the next
group: one of them writes for all.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

from shared.errors import DatabaseUnavailable

T = TypeVar("T")
R = TypeVar("R")

LARGEST_GROUP = 64
"""So that a transaction stays short, however many threads there are."""


class _Place(Generic[T, R]):
    """A thread's place in the queue: what it writes, and what it is told."""

    def __init__(self, item: T) -> None:
        self.item = item
        self.result: Future[R] = Future()
        self.called = threading.Event()
        """Set when there is a result, or when it is this thread's turn to write for its group."""


class GroupCommit(Generic[T, R]):
    """Writes items in groups. Safe to use from many threads."""

    def __init__(self, write: Callable[[Sequence[T]], Sequence[R]]) -> None:
        """`write`: commits these items in one transaction, or none of them; returns the result of each, in order."""
        self._write = write
        self._lock = threading.Lock()
        self._waiting: list[_Place[T, R]] = []
        self._writing = False

    def commit(self, item: T) -> R:
        """Write this item, perhaps together with others; return its result once it is committed.

        Raises what `write` raises. If that is DatabaseUnavailable, nothing of the group is known to be committed. After
        any other error each item of the group is written alone, so that one that is wrong does not fail the others.
        """
        place: _Place[T, R] = _Place(item)
        with self._lock:
            self._waiting.append(place)
            is_alone, self._writing = not self._writing, True
        if not is_alone:
            place.called.wait()
        if not place.result.done():
            self._write_group()
        return place.result.result()

    def _write_group(self) -> None:
        with self._lock:
            group, self._waiting = self._waiting[:LARGEST_GROUP], self._waiting[LARGEST_GROUP:]
        try:
            self._settle(group)
        finally:
            self._hand_over()
            for place in group:
                place.called.set()

    def _hand_over(self) -> None:
        """Let the first who waits write for the next group."""
        with self._lock:
            following = self._waiting[0] if self._waiting else None
            self._writing = following is not None
        if following is not None:
            following.called.set()

    def _settle(self, group: Sequence[_Place[T, R]]) -> None:
        try:
            results = self._write([place.item for place in group])
        except DatabaseUnavailable as err:
            _fail(group, err)
        except Exception as err:  # noqa: BLE001  each thread raises its own, or that of the process that ends
            if len(group) == 1:
                _fail(group, err)
                return
            for place in group:
                self._settle([place])
        except BaseException as err:
            _fail(group, err)
            raise
        else:
            for place, result in zip(group, results, strict=True):
                place.result.set_result(result)


def _fail(group: Sequence[_Place[T, R]], error: BaseException) -> None:
    for place in group:
        place.result.set_exception(error)
