"""A job whose message was lost is published again."""

import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from api.jobs.store import JobStore
from shared.config import Settings
from shared.db.engine import Database
from shared.jobs.job import Job
from tests.integration.asking import accept, ask, row, write
from tests.integration.fake_provider import FakeProvider
from tests.integration.running import jobs_of
from workers.bootstrap import WorkerServices
from workers.jobs.claims import Claims
from workers.maintenance.sweeps import MAX_REPUBLISH_SECONDS, Sweeps

QUEUE = "text"
REPUBLISH_SECONDS = 15


def make_due(database: Database) -> None:
    write(database, "UPDATE jobs SET publish_at = now()")


class Broker:
    """A broker that takes the first `accepts` batches of job ids, and refuses all later ones."""

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


def publish(sweeps: Sweeps, broker: Broker) -> int:
    return sum(sweeps.publish_due(QUEUE, broker.publish))


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


def test_a_broker_that_is_down_leaves_jobs_due(
    open_worker: Callable[[Settings, FakeProvider], WorkerServices],
    configure: Callable[..., Settings],
    database: Database,
) -> None:
    worker = open_worker(configure(CELERY_BROKER_URL="redis://127.0.0.1:9/0"), FakeProvider())
    accept(jobs_of(worker), ask(worker.services.settings))
    make_due(database)
    worker.maintenance.sweep_jobs()
    assert row(database, "SELECT publishes, publish_at <= now() AS due FROM jobs") == (0, True)
