import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from shared.db.group_commit import GroupCommit
from shared.errors import DatabaseUnavailable, StatementOverdue, TransactionConflict

WAIT_SECONDS = 20
BAD = -1


class Bad(Exception):
    """An item can't be committed."""


class Database:
    """Commits numbers, when it may."""

    def __init__(self) -> None:
        self.rounds: list[list[int]] = []
        self.began = threading.Semaphore(0)
        self.may_commit = threading.Semaphore(0)
        self.error: Callable[[Sequence[int]], Exception | None] = lambda items: Bad() if BAD in items else None
        self.seen: list[list[int]] = []

    def write(self, items: Sequence[int]) -> list[int]:
        self.rounds.append(list(items))
        self.began.release()
        assert self.may_commit.acquire(timeout=WAIT_SECONDS)
        if (error := self.error(items)) is not None:
            raise error
        return [item * 10 for item in items]

    def let(self, rounds: int) -> None:
        for _ in range(rounds):
            self.may_commit.release()

    def until_a_round_began(self) -> None:
        assert self.began.acquire(timeout=WAIT_SECONDS)


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def group(database: Database) -> GroupCommit[int, int]:
    return GroupCommit(database.write, lambda results: database.seen.append(list(results)), WAIT_SECONDS)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(20) as pool:
        yield pool


def during_a_round(
    database: Database, group: GroupCommit[int, int], pool: ThreadPoolExecutor, items: Sequence[int]
) -> "list[Future[int]]":
    """Bring 0, and these items in their order while its round is under way."""
    futures = [pool.submit(group.commit, 0)]
    database.until_a_round_began()
    for number, item in enumerate(items, 1):
        futures.append(pool.submit(group.commit, item))
        while len(group._waiting) < number:  # noqa: SLF001  nothing else shows that it waits
            pass
    return futures


def results(futures: "list[Future[int]]") -> list[object]:
    return [future.exception(WAIT_SECONDS) or future.result() for future in futures]


def kinds(futures: "list[Future[int]]") -> list[object]:
    return [type(found) if isinstance(found, Exception) else found for found in results(futures)]


def test_who_comes_alone_does_not_wait(database: Database, group: GroupCommit[int, int]) -> None:
    database.let(2)
    assert [group.commit(1), group.commit(2)] == [10, 20]
    assert database.rounds == [[1], [2]]


def test_those_who_come_during_a_round_share_the_next(
    database: Database, group: GroupCommit[int, int], pool: ThreadPoolExecutor
) -> None:
    futures = during_a_round(database, group, pool, [1, 2, 3])
    database.let(2)
    assert results(futures) == [0, 10, 20, 30]
    assert database.rounds == [[0], [1, 2, 3]]


def test_what_comes_after_a_commit_is_told_of_every_round(
    database: Database, group: GroupCommit[int, int], pool: ThreadPoolExecutor
) -> None:
    futures = during_a_round(database, group, pool, [1, 2])
    database.let(2)
    results(futures)
    assert sorted(database.seen) == [[0], [10, 20]]


def test_the_next_round_begins_before_what_comes_after_a_commit_has_ended(
    database: Database, pool: ThreadPoolExecutor
) -> None:
    may_end = threading.Event()
    group = GroupCommit(database.write, lambda _: may_end.wait(WAIT_SECONDS), WAIT_SECONDS)
    futures = during_a_round(database, group, pool, [1])
    database.let(1)
    database.until_a_round_began()
    may_end.set()
    database.let(1)
    assert results(futures) == [0, 10]


@pytest.mark.parametrize("error", [Bad, TransactionConflict])
def test_what_is_wrong_with_one_item_does_not_hurt_the_others(
    database: Database, group: GroupCommit[int, int], pool: ThreadPoolExecutor, error: type[Exception]
) -> None:
    database.error = lambda items: error() if BAD in items else None
    futures = during_a_round(database, group, pool, [1, BAD, 2])
    database.let(5)
    assert kinds(futures) == [0, 10, error, 20]
    assert sorted(database.rounds[2:]) == [[BAD], [1], [2]]


@pytest.mark.parametrize("error", [DatabaseUnavailable, StatementOverdue])
def test_nothing_is_tried_again_that_may_have_been_committed_or_has_used_up_its_time(
    database: Database, group: GroupCommit[int, int], pool: ThreadPoolExecutor, error: type[Exception]
) -> None:
    database.error = lambda items: None if items == [0] else error()
    futures = during_a_round(database, group, pool, [1, 2])
    database.let(2)
    assert kinds(futures) == [0, error, error]
    assert len(database.rounds) == 2


@pytest.mark.parametrize("error", [Bad, DatabaseUnavailable, TransactionConflict])
def test_what_comes_alone_is_tried_once(
    database: Database, group: GroupCommit[int, int], error: type[Exception]
) -> None:
    database.error = lambda _: error()
    database.let(1)
    with pytest.raises(error):
        group.commit(1)
    assert database.rounds == [[1]]


def test_after_a_failed_round_the_next_goes_on(
    database: Database, group: GroupCommit[int, int], pool: ThreadPoolExecutor
) -> None:
    database.error = lambda items: DatabaseUnavailable() if items == [0] else None
    futures = during_a_round(database, group, pool, [1])
    database.let(2)
    assert kinds(futures) == [DatabaseUnavailable, 10]


def test_a_round_that_hangs_delays_others_only_for_a_while(database: Database, pool: ThreadPoolExecutor) -> None:
    group = GroupCommit(database.write, patience=0.05)
    hanging = pool.submit(group.commit, 0)
    database.until_a_round_began()
    others = [pool.submit(group.commit, 1)]
    database.until_a_round_began()
    database.let(2)
    assert results([hanging, *others]) == [0, 10]


def test_a_crowd_gets_every_result_once(pool: ThreadPoolExecutor) -> None:
    group: GroupCommit[int, int] = GroupCommit(lambda items: [item + 1 for item in items])
    assert list(pool.map(group.commit, range(5000))) == list(range(1, 5001))


def test_what_fails_after_the_commit_leaves_no_thread_waiting(database: Database, pool: ThreadPoolExecutor) -> None:
    def afterwards(done: Sequence[int]) -> None:
        if len(done) > 1:
            raise Bad

    group = GroupCommit(database.write, afterwards, WAIT_SECONDS)
    futures = during_a_round(database, group, pool, [1, 2])
    database.let(2)
    alone, leader, member = results(futures)
    assert (alone, type(leader), member) == (0, Bad, 20)
