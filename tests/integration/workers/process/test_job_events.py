"""What Flower is told of jobs: gathered, sent together, and kept while the broker is away."""

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from redis import Redis
from redis.client import PubSub

from local.servers.valkey import Valkey
from shared.errors import DatabaseUnavailable
from shared.jobs.job import Job
from shared.jobs.queue import RUN_JOB, make_celery
from tests.freezing import frozen_process
from tests.installation import Installation
from tests.integration.eventually import eventually
from tests.integration.running import jobs_of
from workers.bootstrap import WorkerServices
from workers.jobs.attempt import COMPLETED, LOST, AttemptEnd, Ended
from workers.process import job_events
from workers.process.job_events import JobEvents

LATER = AttemptEnd(Ended.LATER, "rate_limited")
FAILED = AttemptEnd(Ended.FAILED, "bad_answer")
SECONDS = 15.0

Told = list[tuple[str, str | None]]


class Ear:
    """Hears the events of jobs as Flower does."""

    def __init__(self, subscription: PubSub) -> None:
        self._subscription = subscription
        self.events: list[dict[str, Any]] = []
        eventually(lambda: self._subscription.get_message(timeout=0.1), SECONDS)

    def told(self) -> Told:
        """Return type and error of each event so far."""
        while message := self._subscription.get_message(ignore_subscribe_messages=True, timeout=0.05):
            body = json.loads(base64.b64decode(json.loads(message["data"])["body"]))
            self.events += body if isinstance(body, list) else []
        return [(event["type"].removeprefix("task-"), event.get("exception")) for event in self.events]

    def hears(self, last: tuple[str, str | None]) -> Told:
        """Wait for an event; return all so far."""
        eventually(lambda: last in self.told(), SECONDS)
        return self.told()


@pytest.fixture
def ear(own_valkey: Valkey) -> Iterator[Ear]:
    with Redis.from_url(own_valkey.url(1)) as redis, redis.pubsub() as subscription:
        subscription.psubscribe("/1.celeryev*")
        yield Ear(subscription)


@pytest.fixture
def events(installation: Installation) -> JobEvents:
    return JobEvents(installation.worker.services.database)


@pytest.fixture
def started(installation: Installation, own_valkey: Valkey) -> Iterator[JobEvents]:
    events = JobEvents(installation.worker.services.database)
    events.start(make_celery(own_valkey.url(1)), "text@host-000000")
    yield events
    events.close()


def test_each_event_names_its_task_for_who_has_missed_the_one_before(started: JobEvents, ear: Ear, job: Job) -> None:
    started.attempt(job, lambda: COMPLETED)
    ear.hears(("succeeded", None))
    assert {event["name"] for event in ear.events} == {RUN_JOB}


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (COMPLETED, ("succeeded", None)),
        (FAILED, ("failed", "bad_answer")),
        (LATER, ("retried", "rate_limited")),
    ],
)
def test_an_attempt_is_told_from_its_claim_to_its_end(
    started: JobEvents, ear: Ear, job: Job, end: AttemptEnd, told: tuple[str, str | None]
) -> None:
    assert started.attempt(job, lambda: end) == end
    assert ear.hears(told) == [("received", None), ("started", None), told]
    assert {(event["uuid"], event["hostname"]) for event in ear.events} == {(str(job.id), "text@host-000000")}


def test_an_attempt_that_postgresql_left_alone_is_tried_again(started: JobEvents, ear: Ear, job: Job) -> None:
    def run() -> AttemptEnd:
        raise DatabaseUnavailable

    with pytest.raises(DatabaseUnavailable):
        started.attempt(job, run)
    assert ear.hears(("retried", "database_unavailable"))


def test_an_attempt_that_lost_its_job_to_another_has_no_end(started: JobEvents, ear: Ear, job: Job) -> None:
    started.attempt(job, lambda: LOST)
    started.requeued(job, "worker_stopped")
    told = ear.hears(("retried", "worker_stopped"))
    assert told == [("received", None), ("started", None), ("retried", "worker_stopped")]


def test_an_attempt_that_lost_its_job_to_a_cancel_is_revoked(
    started: JobEvents, ear: Ear, job: Job, worker: WorkerServices
) -> None:
    def run() -> AttemptEnd:
        jobs_of(worker).cancel(job.id)
        return LOST

    started.attempt(job, run)
    assert ear.hears(("revoked", None))


def test_events_wait_while_the_broker_is_frozen(started: JobEvents, ear: Ear, job: Job, own_valkey: Valkey) -> None:
    assert own_valkey.pid is not None
    with frozen_process(own_valkey.pid):
        started.attempt(job, lambda: LATER)
        eventually(lambda: not started._waiting, SECONDS)  # noqa: SLF001  it has tried to send them
        started.attempt(job, lambda: COMPLETED)
    told = ear.hears(("succeeded", None))
    assert told.index(("retried", "rate_limited")) < told.index(("succeeded", None))
    assert not started.loop.state.failures


def test_events_that_cannot_be_sent_are_bounded_and_the_oldest_go_first(
    worker: WorkerServices, ear: Ear, own_valkey: Valkey, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_events, "CAPACITY", 2)
    events = JobEvents(worker.services.database)
    for code in ("first", "second", "third"):
        events.failed([job.id], code)
    events.start(make_celery(own_valkey.url(1)), "text@host-000000")
    assert ear.hears(("failed", "third")) == [("failed", "second"), ("failed", "third")]
    events.close()


def test_what_waits_is_sent_at_the_end(events: JobEvents, ear: Ear, own_valkey: Valkey, job: Job) -> None:
    events.start(make_celery(own_valkey.url(1)), "text@host-000000")
    events.attempt(job, lambda: COMPLETED)
    events.close()
    assert ear.told()[-1] == ("succeeded", None)


def test_many_threads_may_tell_at_once(started: JobEvents, ear: Ear, job: Job) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: started.attempt(job, lambda: COMPLETED), range(200)))
    eventually(lambda: len(ear.told()) == 600, SECONDS)
