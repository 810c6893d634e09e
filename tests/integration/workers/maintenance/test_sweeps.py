"""What maintenance finds that nobody else would."""

from collections.abc import Callable
from uuid import UUID

import pytest

from api.jobs.store import JobStore
from shared.config import Settings
from shared.db.engine import Database
from shared.jobs.job import Job, JobStatus
from tests.installation import Installation
from tests.integration.asking import accepted, ask, row, rows, write
from tests.integration.eventually import eventually
from tests.integration.fake_provider import FakeProvider
from tests.integration.outages import database_away
from tests.integration.running import jobs_of
from workers.bootstrap import WorkerServices
from workers.jobs.claims import Claims
from workers.maintenance.sweeps import Sweeps

MAX_ATTEMPTS = 5


def lose_leases(database: Database) -> None:
    write(database, "UPDATE jobs SET lease_until = now() - interval '1 second' WHERE status = 'in_progress'")


@pytest.fixture
def lost(installation: Installation) -> Callable[[], Job]:
    """Make a job whose worker has not renewed its lease."""

    def make() -> Job:
        job = installation.claimed()
        lose_leases(installation.database)
        return job

    return make


def pass_deadlines(database: Database) -> None:
    write(database, "UPDATE jobs SET deadline_at = now() - interval '1 second'")


def rescue(sweeps: Sweeps) -> int:
    return sum(batch.rescued for batch in sweeps.take_back_lost(MAX_ATTEMPTS))


def test_a_job_whose_lease_ran_out_is_queued_again(sweeps: Sweeps, lost: Callable[[], Job], jobs: JobStore) -> None:
    job = lost()
    assert rescue(sweeps) == 1
    assert jobs.get(job.id).status is JobStatus.QUEUED


def test_a_rescued_job_is_due_at_once(
    sweeps: Sweeps, lost: Callable[[], Job], claims: Claims, database: Database
) -> None:
    job = lost()
    rescue(sweeps)
    assert row(database, "SELECT publish_at <= now() AS due FROM jobs").due
    assert claims.claim(job.id) is not None


def test_a_rescued_job_keeps_its_attempts(sweeps: Sweeps, lost: Callable[[], Job], jobs: JobStore) -> None:
    job = lost()
    rescue(sweeps)
    assert jobs.get(job.id).attempts == 1


def test_a_job_with_a_lease_is_left_alone(sweeps: Sweeps, new_job: Callable[[], Job], claims: Claims) -> None:
    claims.claim(new_job().id)
    assert rescue(sweeps) == 0


def test_a_job_that_lost_every_worker_fails(sweeps: Sweeps, lost: Callable[[], Job], jobs: JobStore) -> None:
    job = lost()
    assert [batch.failed for batch in sweeps.take_back_lost(max_attempts=1)] == [[job.id]]
    ended = jobs.get(job.id)
    assert ended.failure is not None
    assert (ended.status, ended.failure.code) == (JobStatus.FAILED, "attempts_exhausted")
    assert ended.completed_at is not None


def test_a_job_with_attempts_left_is_not_poisonous(sweeps: Sweeps, lost: Callable[[], Job]) -> None:
    lost()
    assert [batch.failed for batch in sweeps.take_back_lost(max_attempts=2)] == [[]]


def test_a_queued_job_past_its_deadline_fails(
    sweeps: Sweeps, new_job: Callable[[], Job], jobs: JobStore, database: Database
) -> None:
    job = new_job()
    pass_deadlines(database)
    assert list(sweeps.fail_overdue()) == [[job.id]]
    ended = jobs.get(job.id)
    assert ended.failure is not None
    assert (ended.status, ended.failure.code) == (JobStatus.FAILED, "deadline_exceeded")


def test_a_running_job_past_its_deadline_is_left_to_its_worker(
    sweeps: Sweeps, new_job: Callable[[], Job], claims: Claims, database: Database
) -> None:
    claims.claim(new_job().id)
    pass_deadlines(database)
    assert list(sweeps.fail_overdue()) == []


def test_a_job_within_its_deadline_is_left_alone(sweeps: Sweeps, new_job: Callable[[], Job]) -> None:
    new_job()
    assert list(sweeps.fail_overdue()) == []


def test_a_sweep_does_all_of_it_with_a_real_broker(worker: WorkerServices, database: Database) -> None:
    settings = worker.services.settings
    names = ("overdue", "poisonous", "lost", "due")
    made: dict[str, UUID] = {}
    for name in names:
        made[name] = accepted(jobs_of(worker), ask(settings)).id
    for name in ("poisonous", "lost"):
        worker.claims.claim(made[name])
    lose_leases(database)
    write(database, "UPDATE jobs SET attempts = 99 WHERE id = :id", id=made["poisonous"])
    write(database, "UPDATE jobs SET deadline_at = now() - interval '1 s' WHERE id = :id", id=made["overdue"])
    write(database, "UPDATE jobs SET publish_at = now() WHERE id = :id", id=made["due"])
    worker.maintenance.sweep_jobs()
    states = {found.id: (found.status, found.publishes) for found in rows(database, "SELECT * FROM jobs")}
    assert [states[made[name]] for name in names] == [("failed", 0), ("failed", 0), ("queued", 1), ("queued", 1)]


def test_after_an_outage_jobs_are_left_to_their_workers_for_as_long_as_a_lease(
    worker: WorkerServices, new_job: Callable[[], Job], jobs: JobStore, database: Database
) -> None:
    job = new_job()
    worker.claims.claim(job.id)
    with database_away(worker.services.settings.database_url):
        worker.maintenance.sweep_jobs()
    lose_leases(database)
    worker.maintenance.sweep_jobs()
    assert jobs.get(job.id).status is JobStatus.IN_PROGRESS


def test_a_worker_that_does_not_renew_after_an_outage_loses_its_job(
    open_worker: Callable[[Settings, FakeProvider], WorkerServices],
    configure: Callable[..., Settings],
    new_job: Callable[[], Job],
    jobs: JobStore,
) -> None:
    worker = open_worker(configure(LEASE_SECONDS="1"), FakeProvider())
    job = new_job()
    worker.claims.claim(job.id)
    with database_away(worker.services.settings.database_url):
        worker.maintenance.sweep_jobs()

    def is_rescued() -> bool:
        worker.maintenance.sweep_jobs()
        return jobs.get(job.id).status is JobStatus.QUEUED

    eventually(is_rescued)
