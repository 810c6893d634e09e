"""What maintenance finds that nobody else would."""

import sys
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from shared.config import Settings
from shared.db.engine import Database
from shared.job_store import JobStore
from shared.jobs import Job, JobStatus
from tests.integration.asking import accept, accepted, ask, row, rows, write
from tests.integration.eventually import eventually
from tests.integration.fake_provider import FakeProvider
from tests.integration.outages import database_away
from workers.bootstrap import WorkerServices
from workers.claims import Claims
from workers.sweeps import MAX_REPUBLISH_SECONDS, Sweeps

MAX_ATTEMPTS = 5
QUEUE = "text"
REPUBLISH_SECONDS = 15


class Broker:
    """Takes what is published, so many batches, or refuses it."""

    def __init__(self, accepts: int = 10_000) -> None:
        self.accepts = accepts
        self.published: list[UUID] = []
        self._lock = threading.Lock()

    def publish(self, job_ids: Sequence[UUID], _queue: str) -> bool:
        with self._lock:
            if not self.accepts:
                return False
            self.accepts -= 1
            self.published += job_ids
            return True


def in_batches_of(batch: int, database: Database) -> Sweeps:
    return Sweeps(database, REPUBLISH_SECONDS, batch)


@pytest.fixture
def sweeps(database: Database) -> Sweeps:
    return Sweeps(database, REPUBLISH_SECONDS)


def make_due(database: Database) -> None:
    write(database, "UPDATE jobs SET publish_at = now()")


def lose_leases(database: Database) -> None:
    write(database, "UPDATE jobs SET lease_until = now() - interval '1 second' WHERE status = 'in_progress'")


def pass_deadlines(database: Database) -> None:
    write(database, "UPDATE jobs SET deadline_at = now() - interval '1 second'")


def publish(sweeps: Sweeps, broker: Broker) -> int:
    return sum(sweeps.publish_due(QUEUE, broker.publish))


def rescue(sweeps: Sweeps) -> int:
    return sum(batch.rescued for batch in sweeps.take_back_lost(MAX_ATTEMPTS))


def pause(database: Database) -> float:
    return float(row(database, "SELECT extract(epoch FROM publish_at - now()) AS seconds FROM jobs").seconds)


def test_a_fresh_job_is_left_to_its_own_message(sweeps: Sweeps, new_job: Callable[[], Job]) -> None:
    new_job()
    assert publish(sweeps, Broker()) == 0


def test_a_job_whose_message_was_lost_is_published_again(
    sweeps: Sweeps, new_job: Callable[[], Job], database: Database
) -> None:
    broker, job = Broker(), new_job()
    make_due(database)
    assert publish(sweeps, broker) == 1
    assert broker.published == [job.id]


def test_a_published_job_is_not_published_again_at_once(
    sweeps: Sweeps, new_job: Callable[[], Job], database: Database
) -> None:
    new_job()
    make_due(database)
    publish(sweeps, Broker())
    assert publish(sweeps, Broker()) == 0


def test_each_pause_before_the_next_publishing_is_twice_the_last(
    sweeps: Sweeps, new_job: Callable[[], Job], database: Database
) -> None:
    new_job()
    pauses = []
    for _ in range(8):
        make_due(database)
        publish(sweeps, Broker())
        pauses.append(round(pause(database)))
    expected = [min(REPUBLISH_SECONDS * 2**number, MAX_REPUBLISH_SECONDS) for number in range(8)]
    assert pauses == pytest.approx(expected, abs=2)


def test_a_step_is_bounded(new_job: Callable[[], Job], database: Database) -> None:
    for _ in range(5):
        new_job()
    make_due(database)
    assert next(in_batches_of(3, database).publish_due(QUEUE, Broker().publish)) == 3


def test_the_longest_due_job_is_published_first(sweeps: Sweeps, new_job: Callable[[], Job], database: Database) -> None:
    made = [new_job().id for _ in range(3)]
    for index, job_id in enumerate(made):
        write(
            database,
            "UPDATE jobs SET publish_at = now() - make_interval(secs => :ago) WHERE id = :id",
            ago=index,
            id=job_id,
        )
    broker = Broker()
    publish(sweeps, broker)
    assert broker.published == made[::-1]


def test_a_running_job_is_not_published(
    sweeps: Sweeps, new_job: Callable[[], Job], claims: Claims, database: Database
) -> None:
    claims.claim(new_job().id)
    make_due(database)
    assert publish(sweeps, Broker()) == 0


def test_a_cancelled_job_is_not_published(
    sweeps: Sweeps, new_job: Callable[[], Job], jobs: JobStore, database: Database
) -> None:
    jobs.cancel(new_job().id)
    make_due(database)
    assert publish(sweeps, Broker()) == 0


def test_no_job_is_locked_while_the_broker_is_asked(
    sweeps: Sweeps, new_job: Callable[[], Job], claims: Claims, database: Database
) -> None:
    job = new_job()
    make_due(database)
    claimed = []

    def publish(job_ids: Sequence[UUID], _queue: str) -> bool:
        claimed.extend(map(claims.claim, job_ids))
        return True

    list(sweeps.publish_due(QUEUE, publish))
    assert [taken.id for taken in claimed] == [job.id]


def test_jobs_of_a_sweep_that_dies_while_it_publishes_are_published_after_the_pause(
    sweeps: Sweeps, new_job: Callable[[], Job], database: Database
) -> None:
    new_job()
    make_due(database)
    with pytest.raises(SystemExit):
        list(sweeps.publish_due(QUEUE, lambda *_: sys.exit(1)))
    assert pause(database) == pytest.approx(REPUBLISH_SECONDS, abs=2)


def test_a_refusal_does_not_lengthen_the_next_pause(
    sweeps: Sweeps, new_job: Callable[[], Job], database: Database
) -> None:
    new_job()
    for _ in range(3):
        make_due(database)
        publish(sweeps, Broker(accepts=0))
    publish(sweeps, Broker())
    assert pause(database) == pytest.approx(REPUBLISH_SECONDS, abs=2)


def test_a_refused_job_stays_due(sweeps: Sweeps, new_job: Callable[[], Job], database: Database) -> None:
    job = new_job()
    make_due(database)
    assert publish(sweeps, Broker(accepts=0)) == 0
    broker = Broker()
    publish(sweeps, broker)
    assert broker.published == [job.id]


def test_what_was_published_before_a_refusal_is_not_published_twice(
    new_job: Callable[[], Job], database: Database
) -> None:
    made = {new_job().id for _ in range(5)}
    make_due(database)
    before, after = Broker(accepts=1), Broker()
    publish(in_batches_of(2, database), before)
    publish(in_batches_of(2, database), after)
    assert (len(before.published), len(after.published)) == (2, 3)
    assert {*before.published, *after.published} == made


def test_two_sweepers_at_once_publish_each_job_once(new_job: Callable[[], Job], database: Database) -> None:
    made = [new_job().id for _ in range(60)]
    make_due(database)
    broker = Broker()
    with ThreadPoolExecutor(4) as pool:
        for _ in range(12):
            pool.submit(publish, in_batches_of(10, database), broker)
    assert Counter(broker.published) == Counter(made)


def test_a_job_whose_lease_ran_out_is_queued_again(
    sweeps: Sweeps, new_job: Callable[[], Job], claims: Claims, jobs: JobStore, database: Database
) -> None:
    job = new_job()
    claims.claim(job.id)
    lose_leases(database)
    assert rescue(sweeps) == 1
    assert jobs.get(job.id).status is JobStatus.QUEUED


def test_a_rescued_job_is_due_at_once(
    sweeps: Sweeps, new_job: Callable[[], Job], claims: Claims, database: Database
) -> None:
    job = new_job()
    claims.claim(job.id)
    lose_leases(database)
    rescue(sweeps)
    broker = Broker()
    publish(sweeps, broker)
    assert broker.published == [job.id]
    assert claims.claim(job.id) is not None


def test_a_rescued_job_keeps_its_attempts(
    sweeps: Sweeps, new_job: Callable[[], Job], claims: Claims, jobs: JobStore, database: Database
) -> None:
    job = new_job()
    claims.claim(job.id)
    lose_leases(database)
    rescue(sweeps)
    assert jobs.get(job.id).attempts == 1


def test_a_job_with_a_lease_is_left_alone(sweeps: Sweeps, new_job: Callable[[], Job], claims: Claims) -> None:
    claims.claim(new_job().id)
    assert rescue(sweeps) == 0


def test_a_job_that_lost_every_worker_fails(
    sweeps: Sweeps, new_job: Callable[[], Job], claims: Claims, jobs: JobStore, database: Database
) -> None:
    job = new_job()
    claims.claim(job.id)
    lose_leases(database)
    assert [batch.failed for batch in sweeps.take_back_lost(max_attempts=1)] == [[job.id]]
    ended = jobs.get(job.id)
    assert ended.failure is not None
    assert (ended.status, ended.failure.code) == (JobStatus.FAILED, "attempts_exhausted")
    assert ended.completed_at is not None


def test_a_job_with_attempts_left_is_not_poisonous(
    sweeps: Sweeps, new_job: Callable[[], Job], claims: Claims, database: Database
) -> None:
    claims.claim(new_job().id)
    lose_leases(database)
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
        made[name] = accepted(worker.services.jobs, ask(settings)).id
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


def test_a_broker_that_is_down_leaves_jobs_due(
    open_worker: Callable[[Settings, FakeProvider], WorkerServices],
    configure: Callable[..., Settings],
    database: Database,
) -> None:
    worker = open_worker(configure(CELERY_BROKER_URL="redis://127.0.0.1:9/0"), FakeProvider())
    accept(worker.services.jobs, ask(worker.services.settings))
    make_due(database)
    worker.maintenance.sweep_jobs()
    assert row(database, "SELECT publishes, publish_at <= now() AS due FROM jobs") == (0, True)


def test_an_unknown_job_cant_be_claimed(claims: Claims) -> None:
    assert claims.claim(uuid.uuid4()) is None
