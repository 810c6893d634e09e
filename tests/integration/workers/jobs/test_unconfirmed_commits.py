"""Writes whose commit succeeded, but whose confirmation got lost: they are done again, and change nothing."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property

import pytest
from sqlalchemy import Connection

from shared.db.engine import Database
from shared.domain.answer import Usage
from shared.errors import DatabaseUnavailable
from shared.jobs.errors import ContentLocked, ProviderUnavailable
from shared.jobs.job import Job, JobStatus
from shared.times import now
from tests.installation import LEASE_SECONDS, PRICES, Installation, installed
from tests.integration.asking import an_answer, row, rows, write
from tests.integration.claiming import claimed_long_ago
from tests.integration.waiting_jobs import in_progress, queue_jobs
from workers.jobs.claims import Claims
from workers.jobs.content_locks import ContentLocks
from workers.jobs.outage_retry import OutageRetry
from workers.jobs.provider_calls import ProviderCall

CONTENT, SHA256 = "content", "5" * 64


class UnconfirmedDatabase:
    """The database, whose next commits succeed without our hearing of it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.unconfirmed = 0
        self.meanwhile: Callable[[], object] = lambda: None

    def begin(self) -> AbstractContextManager[Connection]:
        return self._unconfirmed(self._database.begin())

    def autocommit(self) -> AbstractContextManager[Connection]:
        return self._unconfirmed(self._database.autocommit())

    @contextmanager
    def _unconfirmed(self, committing: AbstractContextManager[Connection]) -> Iterator[Connection]:
        with committing as connection:
            yield connection
        if self.unconfirmed:
            self.unconfirmed -= 1
            self.meanwhile()
            raise DatabaseUnavailable


class Unconfirmed(Installation):
    """Its claims and locks write to a database that may not confirm it."""

    @cached_property
    def line(self) -> UnconfirmedDatabase:
        return UnconfirmedDatabase(self.database)

    @cached_property
    def claims(self) -> Claims:
        return Claims(self.line, LEASE_SECONDS, PRICES, OutageRetry())  # type: ignore[arg-type]  # of the same shape

    @cached_property
    def locks(self) -> ContentLocks:
        return ContentLocks(self.line, self.claims.outage_retry)  # type: ignore[arg-type]  # of the same shape


@pytest.fixture
def installation() -> Iterator[Unconfirmed]:
    with installed(Unconfirmed) as installation:
        yield installation


@pytest.fixture
def line(installation: Unconfirmed) -> UnconfirmedDatabase:
    return installation.line


@pytest.fixture
def claimed(installation: Unconfirmed) -> Job:
    """Take a job, and lose the confirmation of the next commit."""
    job = installation.claimed()
    installation.line.unconfirmed = 1
    return job


def end_of(claims: Claims, job: Job, line: UnconfirmedDatabase) -> ProviderCall:
    line.unconfirmed = 0
    call_id = claims.begin_call(job, job.route)
    assert call_id is not None
    line.unconfirmed = 1
    return ProviderCall(call_id, job.provider, job.model, now(), None, Usage(1, 2, 3))


def test_a_claim_is_known_again(claims: Claims, new_job: Callable[[], Job], line: UnconfirmedDatabase) -> None:
    line.unconfirmed = 1
    job = claims.claim(new_job().id)
    assert job is not None
    assert (job.attempts, job.claims) == (1, 1)


def test_a_claim_is_not_known_again_once_another_worker_has_the_job(
    claims: Claims, new_job: Callable[[], Job], line: UnconfirmedDatabase, database: Database
) -> None:
    other = Claims(database, LEASE_SECONDS, PRICES, OutageRetry(0))
    job = new_job()

    def steal() -> None:
        write(database, "UPDATE jobs SET status = 'queued'")
        assert other.claim(job.id) is not None

    line.unconfirmed, line.meanwhile = 1, steal
    assert claims.claim(job.id) is None


@pytest.mark.parametrize("tenants", ["a", "ab"], ids=["the job named is gone", "two clients wait"])
def test_a_claim_in_turn_is_known_again(
    claims: Claims, line: UnconfirmedDatabase, database: Database, tenants: str
) -> None:
    (first,) = queue_jobs(database, 1, "first")
    assert claims.claim(first)
    waiting = [job_id for tenant in tenants for job_id in queue_jobs(database, 2, tenant)]
    line.unconfirmed = 1
    job = claims.claim(first)
    assert job is not None
    assert (job.id, job.attempts, in_progress(database)) == (waiting[0], 1, {"first": 1, "a": 1})


def test_a_call_is_on_record_once(claims: Claims, claimed: Job, database: Database) -> None:
    late = claimed_long_ago(claimed, database)
    begun = claims.begin_call(late, late.route)
    assert begun == row(database, "SELECT id FROM provider_calls").id


def test_a_call_that_will_not_be_made_is_not_on_record(
    claims: Claims, claimed: Job, line: UnconfirmedDatabase, database: Database
) -> None:
    late = claimed_long_ago(claimed, database)
    line.meanwhile = lambda: write(database, "UPDATE jobs SET status = 'cancelled'")
    assert claims.begin_call(late, late.route) is None
    assert rows(database, "SELECT 1 FROM provider_calls") == []


def test_a_lock_that_was_taken_is_held(locks: ContentLocks, claimed: Job) -> None:
    assert locks.take(claimed, CONTENT, SHA256)


def test_a_locked_content_stays_locked(
    locks: ContentLocks, claims: Claims, claimed: Job, line: UnconfirmedDatabase, new_job: Callable[[], Job]
) -> None:
    line.unconfirmed = 0
    locks.take(claimed, CONTENT, SHA256)
    other = claims.claim(new_job().id)
    assert other is not None
    line.unconfirmed = 1
    with pytest.raises(ContentLocked):
        locks.take(other, CONTENT, SHA256)


def test_an_end_of_a_call_is_on_record(
    claims: Claims, claimed: Job, line: UnconfirmedDatabase, database: Database
) -> None:
    claims.end_call(claimed, end_of(claims, claimed, line))
    assert row(database, "SELECT outcome FROM provider_calls").outcome == "completed"


def test_a_completed_job_is_known_to_be_completed_by_us(
    claims: Claims, claimed: Job, line: UnconfirmedDatabase, database: Database
) -> None:
    call = end_of(claims, claimed, line)
    assert claims.complete(claimed, an_answer(job_id=claimed.id), call)
    assert row(database, "SELECT total_tokens FROM provider_calls").total_tokens == 3


def test_a_stale_completion_is_known_to_be_ours(claims: Claims, claimed: Job) -> None:
    assert claims.complete_stale(claimed, an_answer(), None)


def test_a_failed_job_is_known_to_be_failed_by_us(claims: Claims, claimed: Job) -> None:
    assert claims.fail(claimed, ProviderUnavailable(), None)


@pytest.mark.parametrize(("counted", "attempts"), [(True, 1), (False, 0)])
def test_a_job_is_queued_again_once(
    claims: Claims, claimed: Job, database: Database, *, counted: bool, attempts: int
) -> None:
    assert claims.requeue(claimed, 60, counted=counted)
    assert tuple(row(database, "SELECT status, attempts FROM jobs")) == (JobStatus.QUEUED, attempts)
