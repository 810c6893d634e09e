import threading
from collections.abc import Callable, Collection, Iterator
from typing import cast
from uuid import UUID

import pytest
from examples import JOB_ID

import api.jobs.waiters
from api.jobs.store import JobStore
from api.jobs.waiters import Waiter, Waiters
from shared.errors import DatabaseUnavailable

OTHER_ID = UUID(int=5)


class Jobs:
    """Which jobs have ended, as a test sets it; None: PostgreSQL is away. Says when it was read."""

    def __init__(self) -> None:
        self.have_ended: set[UUID] | None = set()
        self.read: list[set[UUID]] = []
        self.reads = threading.Semaphore(0)

    def ended(self, job_ids: Collection[UUID]) -> set[UUID]:
        have_ended = self.have_ended
        self.read.append(set(job_ids))
        self.reads.release()
        if have_ended is None:
            raise DatabaseUnavailable
        return have_ended & set(job_ids)


class Room:
    """Waiters with two places."""

    def __init__(self) -> None:
        self.jobs = Jobs()
        self.waiters = Waiters(cast("JobStore", self.jobs), limit=2)

    def wait(self, job_id: UUID = JOB_ID) -> threading.Event:
        """Begin to wait; return once the job was read, with what is set when it ends."""
        woken = self.register(job_id)
        assert self.jobs.reads.acquire(timeout=5)
        return woken

    def register(self, job_id: UUID = JOB_ID) -> threading.Event:
        woken = threading.Event()
        waiter = self.waiters.register(job_id)
        assert waiter is not None
        self.waiters.when_woken(waiter, woken.set)
        return woken


@pytest.fixture
def room() -> Iterator[Room]:
    made = Room()
    yield made
    made.waiters.release()


def test_a_job_that_has_ended_already_wakes_before_long(room: Room) -> None:
    room.jobs.have_ended = {JOB_ID}
    assert room.register().wait(5)


def test_a_job_that_ends_soon_is_not_read(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.jobs.waiters, "READ_AFTER_SECONDS", 3600.0)
    waiter = cast("Waiter", room.waiters.register(JOB_ID))
    room.waiters.wake(JOB_ID)
    room.waiters.forget(waiter)
    monkeypatch.setattr(api.jobs.waiters, "READ_AFTER_SECONDS", 0.0)
    room.wait(OTHER_ID)
    assert room.jobs.read == [{OTHER_ID}]


def test_the_end_of_the_job_wakes(room: Room) -> None:
    woken = room.wait()
    room.waiters.wake(JOB_ID)
    assert woken.is_set()


def test_all_who_wait_for_a_job_are_woken(room: Room) -> None:
    woken = [room.wait(), room.register()]
    room.waiters.wake(JOB_ID)
    assert [each.is_set() for each in woken] == [True, True]


def test_the_end_of_another_job_wakes_nobody(room: Room) -> None:
    woken = room.wait()
    room.waiters.wake(OTHER_ID)
    assert not woken.is_set()


def test_who_is_woken_before_it_listens_hears_of_it(room: Room) -> None:
    waiter = cast("Waiter", room.waiters.register(JOB_ID))
    room.waiters.wake(JOB_ID)
    woken = threading.Event()
    room.waiters.when_woken(waiter, woken.set)
    assert woken.is_set()


def test_a_waiter_is_told_once(room: Room) -> None:
    told: list[int] = []
    waiter = cast("Waiter", room.waiters.register(JOB_ID))
    room.waiters.when_woken(waiter, lambda: told.append(1))
    for _ in range(3):
        room.waiters.wake(JOB_ID)
    room.waiters.release()
    assert told == [1]


def test_a_missed_event_is_made_up_for_when_all_may_have_ended(room: Room) -> None:
    woken = room.wait()
    room.jobs.have_ended = {JOB_ID}
    room.waiters.wake_all()
    assert woken.wait(5)


def test_a_missed_event_is_made_up_for_by_reading_again(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.jobs.waiters, "REREAD_SECONDS", 0.001)
    woken = room.wait()
    room.jobs.have_ended = {JOB_ID}
    assert woken.wait(5)


def test_who_waits_for_a_job_that_runs_on_is_not_woken_by_a_reading(room: Room) -> None:
    woken = room.wait()
    room.waiters.wake_all()
    assert room.jobs.reads.acquire(timeout=5)
    assert not woken.is_set()


def test_new_waiters_are_read_together(room: Room) -> None:
    release, entered = threading.Event(), threading.Event()
    read = room.jobs.ended

    def slowly(job_ids: Collection[UUID]) -> set[UUID]:
        entered.set()
        release.wait(5)
        return read(job_ids)

    room.jobs.ended = slowly  # type: ignore[method-assign]  # a database that takes its time
    room.register(UUID(int=1))
    assert entered.wait(5)
    room.register(UUID(int=2))
    room.waiters.wake_all()
    release.set()
    assert room.jobs.reads.acquire(timeout=5)
    assert room.jobs.reads.acquire(timeout=5)
    assert room.jobs.read == [{UUID(int=1)}, {UUID(int=1), UUID(int=2)}]


@pytest.mark.parametrize("second", [JOB_ID, OTHER_ID], ids=["of the same job", "of another job"])
def test_one_more_than_the_limit_does_not_wait(room: Room, second: UUID) -> None:
    room.register()
    room.register(second)
    assert room.waiters.register(second) is None


def test_a_place_is_free_again_afterwards(room: Room) -> None:
    for _ in range(5):
        waiter = room.waiters.register(JOB_ID)
        assert waiter is not None
        room.waiters.forget(waiter)
    assert room.waiters.count == 0


def test_a_place_is_given_back_once(room: Room) -> None:
    room.register()
    waiter = cast("Waiter", room.waiters.register(JOB_ID))
    room.waiters.forget(waiter)
    room.waiters.forget(waiter)
    assert room.waiters.count == 1


def test_waiting_outlives_the_database_being_away(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.jobs.waiters, "PAUSE_SECONDS", 0.001)
    room.jobs.have_ended = None
    woken = room.wait()
    room.jobs.have_ended = {JOB_ID}
    assert woken.wait(5)


def test_at_the_stop_everyone_leaves(room: Room) -> None:
    woken = room.wait()
    room.waiters.release()
    assert woken.is_set()


def test_after_the_stop_nobody_waits(room: Room) -> None:
    room.waiters.release()
    assert room.waiters.register(JOB_ID) is None


def test_without_a_thread_to_read_with_there_is_no_place(
    room: Room, monkeypatch: pytest.MonkeyPatch, no_threads: Callable[..., None]
) -> None:
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", no_threads)
        assert room.waiters.register(JOB_ID) is None
    room.wait()
