import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import cast
from uuid import UUID

import pytest
from examples import COMPLETED, JOB_ID, QUEUED

import shared.waiters
from shared.errors import DatabaseUnavailable
from shared.job_store import JobStore
from shared.jobs import Job
from shared.waiters import Waiters

OTHER_ID = UUID(int=5)


class Jobs:
    """One job as a test sets it; None: PostgreSQL is away. Says when it was read."""

    def __init__(self) -> None:
        self.job: Job | None = QUEUED
        self.reads = threading.Semaphore(0)

    def get(self, _job_id: UUID) -> Job:
        job = self.job
        self.reads.release()
        if job is None:
            raise DatabaseUnavailable
        return job


class Room:
    """Waiters with two places, and threads to wait in."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.jobs = Jobs()
        self.waiters = Waiters(cast("JobStore", self.jobs), limit=2)
        self._pool = pool

    def wait(self, job: Job = QUEUED, seconds: float = 30) -> Future[tuple[Job, bool]]:
        """Begin to wait; returns once the job was read and the thread is about to sleep."""
        waiting = self._pool.submit(self.waiters.wait, job, seconds)
        assert self.jobs.reads.acquire(timeout=5)
        return waiting


@pytest.fixture
def room() -> Iterator[Room]:
    with ThreadPoolExecutor() as pool:
        made = Room(pool)
        yield made
        made.waiters.release()


def test_a_job_that_has_ended_is_not_waited_for(room: Room) -> None:
    room.jobs.job = COMPLETED
    assert room.waiters.wait(QUEUED, 30) == (COMPLETED, True)


def test_the_end_of_the_job_wakes(room: Room) -> None:
    waiting = room.wait()
    room.jobs.job = COMPLETED
    room.waiters.wake(JOB_ID)
    assert waiting.result(5) == (COMPLETED, True)


def test_all_who_wait_for_a_job_are_woken(room: Room) -> None:
    waiting = [room.wait(), room.wait()]
    room.jobs.job = COMPLETED
    room.waiters.wake(JOB_ID)
    assert [each.result(5) for each in waiting] == [(COMPLETED, True)] * 2


def test_a_missed_event_is_made_up_for_when_all_are_woken(room: Room) -> None:
    waiting = room.wait()
    room.jobs.job = COMPLETED
    room.waiters.wake_all()
    assert waiting.result(5) == (COMPLETED, True)


def test_a_missed_event_is_made_up_for_by_reading_again(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared.waiters, "REREAD_SECONDS", 0.001)
    waiting = room.wait()
    room.jobs.job = COMPLETED
    assert waiting.result(5) == (COMPLETED, True)


def test_a_job_that_runs_on_is_waited_for_again(room: Room) -> None:
    waiting = room.wait()
    room.waiters.wake(JOB_ID)
    assert room.jobs.reads.acquire(timeout=5)
    assert not waiting.done()


def test_the_end_of_another_job_wakes_nobody(room: Room) -> None:
    waiting = room.wait()
    room.waiters.wake(OTHER_ID)
    assert (room.jobs.reads.acquire(blocking=False), waiting.done()) == (False, False)


def test_when_time_is_up_the_job_comes_as_it_is(room: Room) -> None:
    assert room.waiters.wait(QUEUED, 0.01) == (QUEUED, True)


def test_waiting_for_no_time_reads_the_job_once(room: Room) -> None:
    room.jobs.job = COMPLETED
    assert room.waiters.wait(QUEUED, 0) == (COMPLETED, True)


def test_one_more_than_the_limit_does_not_wait(room: Room) -> None:
    room.wait()
    room.wait()
    assert room.waiters.wait(QUEUED, 30) == (QUEUED, False)


def test_the_limit_holds_for_all_jobs_together(room: Room) -> None:
    room.wait()
    room.wait()
    assert room.waiters.wait(replace(QUEUED, id=OTHER_ID), 30)[1] is False


def test_a_place_is_free_again_afterwards(room: Room) -> None:
    for _ in range(5):
        assert room.waiters.wait(QUEUED, 0)[1] is True
    assert room.waiters.count == 0


def test_a_place_is_free_again_after_an_error(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room.jobs, "get", {}.__getitem__)
    with pytest.raises(KeyError):
        room.waiters.wait(QUEUED, 30)
    assert room.waiters.count == 0


def test_those_who_wait_are_counted(room: Room) -> None:
    room.wait()
    assert room.waiters.count == 1


def test_while_the_database_is_away_the_job_comes_as_last_read(room: Room) -> None:
    room.jobs.job = None
    assert room.waiters.wait(QUEUED, 0.01) == (QUEUED, True)


def test_waiting_outlives_the_database_being_away(room: Room) -> None:
    room.jobs.job = None
    waiting = room.wait()
    room.jobs.job = COMPLETED
    room.waiters.wake(JOB_ID)
    assert waiting.result(5) == (COMPLETED, True)


def test_at_the_stop_everyone_leaves_with_what_there_is(room: Room) -> None:
    waiting = room.wait()
    room.waiters.release()
    assert waiting.result(5) == (QUEUED, True)


def test_after_the_stop_nobody_waits(room: Room) -> None:
    room.waiters.release()
    assert room.waiters.wait(QUEUED, 30) == (QUEUED, False)
