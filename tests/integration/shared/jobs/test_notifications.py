"""Waiting for the end of a job, and hearing of purges, over a real Valkey of the test's own."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta

import pytest

from api.jobs.listener import POLL_SECONDS, Listener
from api.jobs.store import JobStore
from api.jobs.waiters import REREAD_SECONDS, Waiters
from local.servers.valkey import Valkey
from shared.cache.purges import PurgeMarks, PurgeStore
from shared.config import Settings
from shared.db.engine import Database
from shared.jobs.job import Job, JobStatus
from shared.jobs.notifier import CLIENT_TIMEOUT_SECONDS, Notifier
from shared.redis import connect
from shared.times import now
from tests.installation import Installation
from tests.integration.eventually import eventually
from tests.integration.outages import database_away

Outcome = tuple[Job, bool]
WAKE_SECONDS = 2.0
assert WAKE_SECONDS < REREAD_SECONDS


class Process:
    """What an API process has for waiting and for hearing of purges."""

    def __init__(self, database: Database, jobs: JobStore, redis_url: str, limit: int = 8) -> None:
        self.jobs = jobs
        self.waiters = Waiters(jobs, limit)
        self.purges = PurgeStore(database)
        self.marks = PurgeMarks(self.purges)
        self.notifier = Notifier(connect(redis_url, CLIENT_TIMEOUT_SECONDS))
        own = connect(redis_url, CLIENT_TIMEOUT_SECONDS)
        self.listener = Listener(own, self.marks, self.waiters, self.notifier, self.notifier.acknowledge)
        self.pool = ThreadPoolExecutor(16)

    def start(self) -> None:
        self.listener.start()
        eventually(lambda: self.listener.connected and self.marks.loaded)

    def close(self) -> None:
        self.waiters.release()
        self.listener.close()
        self.notifier.close()
        self.pool.shutdown()

    def wait(self, job: Job, seconds: float = 30) -> "Future[Outcome]":
        """Begin to wait in a thread; return once it waits."""
        before = self.waiters.count
        waiting = self.pool.submit(self.wait_here, job, seconds)
        eventually(lambda: self.waiters.count > before or waiting.done())
        return waiting

    def wait_here(self, job: Job, seconds: float) -> Outcome:
        """Wait; return the job as it is then, and whether there was a place."""
        waiter = self.waiters.register(job.id)
        if waiter is None:
            return job, False
        woken = threading.Event()
        self.waiters.when_woken(waiter, woken.set)
        woken.wait(seconds)
        self.waiters.forget(waiter)
        return self.jobs.get(job.id), True


Processes = Callable[[str], Process]


@pytest.fixture
def start_process(installation: Installation) -> Iterator[Processes]:
    with ExitStack() as stack:
        yield lambda redis_url: stack.enter_context(started(installation, redis_url))


@contextmanager
def started(installation: Installation, redis_url: str) -> Iterator[Process]:
    with closing(Process(installation.database, installation.jobs, redis_url)) as process:
        process.start()
        yield process


@pytest.fixture
def process(installation: Installation) -> Iterator[Process]:
    with started(installation, installation.settings.redis_cache_url) as process:
        yield process


@pytest.fixture
def job(installation: Installation) -> Job:
    return installation.new_job()


def test_the_end_of_a_job_wakes_its_waiter(process: Process, job: Job, jobs: JobStore) -> None:
    waiting = process.wait(job)
    jobs.cancel(job.id)
    process.notifier.job_ended(job.id)
    ended, waited = waiting.result(timeout=WAKE_SECONDS)
    assert (ended.status, waited) == (JobStatus.CANCELLED, True)


def test_the_end_of_a_job_wakes_the_waiters_of_every_process(
    start_process: Processes, settings: Settings, job: Job, jobs: JobStore
) -> None:
    processes = [start_process(settings.redis_cache_url) for _ in range(2)]
    waiting = [process.wait(job) for process in processes for _ in range(2)]
    jobs.cancel(job.id)
    processes[0].notifier.job_ended(job.id)
    assert {each.result(timeout=WAKE_SECONDS)[0].status for each in waiting} == {JobStatus.CANCELLED}


def test_the_end_of_another_job_wakes_nobody(process: Process, job: Job) -> None:
    waiting = process.wait(job, seconds=0.3)
    started = time.monotonic()
    process.notifier.job_ended(uuid.uuid4())
    assert waiting.result(timeout=WAKE_SECONDS)[0].status is JobStatus.QUEUED
    assert time.monotonic() - started > 0.2


def test_a_waiter_goes_when_its_time_is_up(process: Process, job: Job) -> None:
    found, waited = process.wait(job, seconds=0.2).result(timeout=WAKE_SECONDS)
    assert (found.status, waited) == (JobStatus.QUEUED, True)


def test_a_job_that_has_ended_is_not_waited_for(process: Process, job: Job, jobs: JobStore) -> None:
    jobs.cancel(job.id)
    started = time.monotonic()
    assert process.wait_here(job, 30)[0].status is JobStatus.CANCELLED
    assert time.monotonic() - started < 1


def test_one_waiter_too_many_does_not_wait(process: Process, job: Job) -> None:
    for _ in range(8):
        process.wait(job)
    started = time.monotonic()
    assert process.wait_here(job, 30) == (job, False)
    assert time.monotonic() - started < 0.5


def test_release_lets_everyone_go(process: Process, job: Job) -> None:
    waiting = [process.wait(job) for _ in range(3)]
    process.waiters.release()
    assert {each.result(timeout=WAKE_SECONDS)[0].status for each in waiting} == {JobStatus.QUEUED}


def test_a_job_is_read_again_now_and_then_lest_its_event_was_lost(
    process: Process, job: Job, jobs: JobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.jobs.waiters.REREAD_SECONDS", 0.2)
    waiting = process.wait(job)
    jobs.cancel(job.id)
    ended, _ = waiting.result(timeout=WAKE_SECONDS)
    assert ended.status is JobStatus.CANCELLED


def test_a_waiter_outlives_a_database_that_is_away_for_a_moment(
    process: Process, job: Job, jobs: JobStore, settings: Settings
) -> None:
    waiting = process.wait(job)
    with database_away(settings.database_url):
        process.waiters.wake_all()
    jobs.cancel(job.id)
    process.notifier.job_ended(job.id)
    assert waiting.result(timeout=WAKE_SECONDS)[0].status is JobStatus.CANCELLED


def test_a_new_subscription_wakes_everyone(
    start_process: Processes, own_valkey: Valkey, job: Job, jobs: JobStore
) -> None:
    process = start_process(own_valkey.url())
    waiting = process.wait(job)
    own_valkey.kill()
    eventually(lambda: not process.listener.connected)
    jobs.cancel(job.id)
    process.notifier.job_ended(job.id)
    started = time.monotonic()
    own_valkey.start()
    assert waiting.result(timeout=WAKE_SECONDS)[0].status is JobStatus.CANCELLED
    assert time.monotonic() - started < REREAD_SECONDS


def test_events_are_heard_again_after_a_restart(
    start_process: Processes, own_valkey: Valkey, job: Job, jobs: JobStore
) -> None:
    process = start_process(own_valkey.url())
    own_valkey.kill()
    eventually(lambda: not process.listener.connected)
    own_valkey.start()
    eventually(lambda: process.listener.connected)
    waiting = process.wait(job)
    jobs.cancel(job.id)
    process.notifier.job_ended(job.id)
    assert waiting.result(timeout=WAKE_SECONDS)[0].status is JobStatus.CANCELLED


def test_a_purge_is_acknowledged_by_every_process(start_process: Processes, settings: Settings) -> None:
    first, second = (start_process(settings.redis_cache_url) for _ in range(2))
    before = now()
    assert first.notifier.purged(first.purges.write("default", "chat"), timeout_seconds=4)
    assert not any(process.marks.allows("default", "chat", before) for process in (first, second))


def test_answers_from_after_a_purge_are_allowed(process: Process) -> None:
    purge = process.purges.write("default", "chat")
    assert process.notifier.purged(purge, timeout_seconds=4)
    assert process.marks.allows("default", "chat", purge.purged_at + timedelta(microseconds=1))


def test_a_purge_that_nobody_listens_to_is_done_at_once(database: Database, settings: Settings) -> None:
    with connect(settings.redis_cache_url, CLIENT_TIMEOUT_SECONDS) as client:
        started = time.monotonic()
        assert Notifier(client).purged(PurgeStore(database).write("default", "chat"), timeout_seconds=4)
        assert time.monotonic() - started < 1


def test_a_listener_that_is_gone_keeps_a_purge_waiting_no_longer_than_its_limit(
    database: Database, settings: Settings
) -> None:
    with connect(settings.redis_cache_url, CLIENT_TIMEOUT_SECONDS) as client, client.pubsub() as deaf:
        deaf.subscribe("askonce:events")
        deaf.get_message(timeout=1)
        started = time.monotonic()
        assert not Notifier(client).purged(PurgeStore(database).write("default", "chat"), timeout_seconds=0.5)
        assert 0.5 <= time.monotonic() - started < 2


def test_purges_are_learnt_from_postgresql_while_valkey_is_away(start_process: Processes, own_valkey: Valkey) -> None:
    process = start_process(own_valkey.url())
    own_valkey.kill()
    eventually(lambda: not process.listener.connected)
    before = now()
    process.purges.write("default", "chat")
    started = time.monotonic()
    eventually(lambda: not process.marks.allows("default", "chat", before))
    assert time.monotonic() - started < 4 * POLL_SECONDS


def test_a_process_that_starts_without_postgresql_learns_of_purges_once_it_is_back(
    database: Database, jobs: JobStore, settings: Settings
) -> None:
    process = Process(database, jobs, settings.redis_cache_url)
    try:
        with database_away(settings.database_url):
            process.listener.start()
            eventually(lambda: process.listener.connected)
            assert not process.marks.loaded
        eventually(lambda: process.marks.loaded)
    finally:
        process.close()


def test_nothing_is_served_before_the_purges_are_known(database: Database) -> None:
    assert not PurgeMarks(PurgeStore(database)).allows("default", "chat", now())


def test_telling_of_an_end_never_fails_without_valkey(own_valkey: Valkey) -> None:
    own_valkey.kill()
    with connect(own_valkey.url(), CLIENT_TIMEOUT_SECONDS) as client:
        Notifier(client).job_ended(uuid.uuid4())
