"""Threads that write at the same time share a commit, and each gets its own result."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from shared.errors import DatabaseUnavailable
from workers.jobs import group_commit
from workers.jobs.group_commit import GroupCommit

SECONDS = 10.0


class Writing:
    """A write that notes its groups, and whose first one lasts until a test lets it end."""

    def __init__(self, write: Callable[[int], int] = lambda item: -item) -> None:
        self.groups: list[list[int]] = []
        self.begun, self.go_on = threading.Event(), threading.Event()
        self._write = write

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.groups.append(list(items))
        self.begun.set()
        assert self.go_on.wait(SECONDS)
        return [self._write(item) for item in items]


def committed_together(commits: GroupCommit[int, int], writing: Writing, items: Sequence[int]) -> list["Future[int]"]:
    """Commit 0, and these items while it is being written; return their results."""
    with ThreadPoolExecutor(len(items) + 1) as pool:
        first = pool.submit(commits.commit, 0)
        assert writing.begun.wait(SECONDS)
        results = [pool.submit(commits.commit, item) for item in items]
        while len(commits._waiting) < len(items):  # noqa: SLF001  only there is it to be seen that they wait
            threading.Event().wait(0.001)
        writing.go_on.set()
    return [first, *results]


def test_alone_nobody_waits() -> None:
    writing = Writing()
    writing.go_on.set()
    commits = GroupCommit(writing)
    assert [commits.commit(1), commits.commit(2)] == [-1, -2]
    assert writing.groups == [[1], [2]]


def test_those_who_come_during_a_write_share_the_next() -> None:
    writing = Writing()
    results = committed_together(GroupCommit(writing), writing, [1, 2, 3])
    assert [result.result() for result in results] == [0, -1, -2, -3]
    assert [sorted(group) for group in writing.groups] == [[0], [1, 2, 3]]


def test_a_group_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "LARGEST_GROUP", 2)
    writing = Writing()
    results = committed_together(GroupCommit(writing), writing, [1, 2, 3])
    assert [result.result() for result in results] == [0, -1, -2, -3]
    assert [len(group) for group in writing.groups] == [1, 2, 1]


def test_an_item_that_is_wrong_does_not_fail_the_others() -> None:
    writing = Writing(lambda item: 6 // (item - 2))
    results = committed_together(GroupCommit(writing), writing, [1, 2, 3])
    assert [result.exception() is None for result in results] == [True, True, False, True]
    assert isinstance(results[2].exception(), ZeroDivisionError)
    assert results[3].result() == 6


def test_a_database_that_is_away_is_away_for_the_whole_group() -> None:
    def write(item: int) -> int:
        if item == 2:
            raise DatabaseUnavailable
        return item

    writing = Writing(write)
    results = committed_together(GroupCommit(writing), writing, [1, 2])
    assert [type(result.exception()) for result in results[1:]] == [DatabaseUnavailable] * 2
    assert len(writing.groups) == 2


def test_after_a_failure_the_next_group_is_written() -> None:
    def fail(_: Sequence[int]) -> list[int]:
        raise failures.pop() if failures else DatabaseUnavailable

    failures: list[BaseException] = [SystemExit()]
    commits: GroupCommit[int, int] = GroupCommit(fail)
    with pytest.raises(SystemExit):
        commits.commit(1)
    with pytest.raises(DatabaseUnavailable):
        commits.commit(2)


def test_many_threads_lose_nothing() -> None:
    commits: GroupCommit[int, int] = GroupCommit(lambda items: [-item for item in items])
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(commits.commit, range(2000))) == [-item for item in range(2000)]
