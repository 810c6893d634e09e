"""Group commit: what threads bring at the same time is done together. It knows nothing of what that is."""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from shared.errors import DatabaseUnavailable, TransactionConflict

PATIENCE_SECONDS = 0.2

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Member(Generic[Item, Result]):
    """What one thread brought, and what became of it.

    `leads`: the members of the round that this thread has to do, itself among them. `woken` is free once the thread
    has to go on. If there are neither results nor an error then, the thread does its own item alone.
    """

    __slots__ = ("error", "item", "leads", "results", "woken")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.leads: Sequence[_Member[Item, Result]] = ()
        self.results: tuple[Result, ...] = ()
        self.error: Exception | None = None
        self.woken = threading.Lock()
        self.woken.acquire()


class GroupCommit(Generic[Item, Result]):
    """Does items in rounds: a transaction for each round, whoever brought them.

    A thread that finds no round under way does one at once, for its own item. Those that come meanwhile wait, and then
    one of them does the next round for all. A round that PostgreSQL has refused or undone has committed nothing; so
    each of its threads does its own item alone, and suffers from nothing that is wrong with another one's.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Item]], Sequence[Result]],
        afterwards: Callable[[Sequence[Result]], object] = lambda _: None,
        patience: float | None = None,
    ) -> None:
        """`write`: commits one or more items in one transaction; returns a result for each, in their order.

        `afterwards`: called with the results of a round, before any thread gets them, but beside the next round. Must
        not raise. `patience`: who has waited so many seconds for the round under way begins another one beside it;
        PATIENCE_SECONDS unless given.
        """
        self._patience = PATIENCE_SECONDS if patience is None else patience
        self._write = write
        self._afterwards = afterwards
        self._lock = threading.Lock()
        self._waiting: list[_Member[Item, Result]] = []
        self._rounds = 0

    def commit(self, item: Item) -> Result:
        """Return the result of this item once it is committed; raise what `write` raises."""
        member: _Member[Item, Result] = _Member(item)
        with self._lock:
            self._waiting.append(member)
            if not self._rounds:
                member.leads = self._begin_round()
        if not member.leads:
            self._wait(member)
        members, member.leads = member.leads, ()
        if len(members) == 1:
            return self._do_alone(item, self._end_round)
        if members:
            self._do_round(members)
        if member.error is not None:
            raise type(member.error) from member.error
        return member.results[0] if member.results else self._do_alone(item)

    def _begin_round(self) -> Sequence[_Member[Item, Result]]:
        members, self._waiting = self._waiting, []
        self._rounds += 1
        return members

    def _wait(self, member: _Member[Item, Result]) -> None:
        """Wait until another thread has done the item, or this one has to lead a round."""
        if member.woken.acquire(timeout=self._patience):
            return
        with self._lock:
            if member in self._waiting:
                member.leads = self._begin_round()
                return
        member.woken.acquire()

    def _do_round(self, members: Sequence[_Member[Item, Result]]) -> None:
        """Do a round, and wake all its members in any case."""
        results: Sequence[Result] = ()
        error: Exception | None = None
        try:
            results = self._write([member.item for member in members])
        except Exception as err:  # noqa: BLE001  each meets any other alone, unless it was about another one's item
            # It may have been committed, or there is no time left.
            if isinstance(err, DatabaseUnavailable) and not isinstance(err, TransactionConflict):
                error = err
        finally:
            self._end_round()
            try:
                if results:
                    self._afterwards(results)
            finally:
                for number, member in enumerate(members):
                    member.error, member.results = error, tuple(results[number : number + 1])
                    member.woken.release()

    def _end_round(self) -> None:
        """Let the first of those who came meanwhile lead the next round."""
        with self._lock:
            self._rounds -= 1
            if self._waiting and not self._rounds:
                members = self._begin_round()
                members[0].leads = members
                members[0].woken.release()

    def _do_alone(self, item: Item, once_committed: Callable[[], object] = lambda: None) -> Result:
        try:
            results = self._write([item])
        finally:
            once_committed()
        self._afterwards(results)
        return results[0]
