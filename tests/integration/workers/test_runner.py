"""A job's way through a worker, with a real database and real tiers and a provider that does what it is told."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.cache import purges
from shared.cache.purges import PurgeStore
from shared.cache.tier import Tier
from shared.cache.tiered import TieredCache
from shared.config import Settings
from shared.domain.answer import Usage
from shared.domain.pictures import picture as picture_of
from shared.domain.request import Request
from shared.jobs.job import Job, JobStatus
from shared.times import now
from tests.integration.asking import accepted, address, an_answer, ask, row, rows
from tests.integration.eventually import eventually
from tests.integration.fake_provider import POSITIVE, FakeProvider
from tests.integration.outages import database_away
from tests.integration.running import jobs_of, lose_lease, run
from tests.task_types import NAMED, resolved
from workers.bootstrap import WorkerServices
from workers.providers.base import Completion, ModelCall
from workers.runner import run_job

OTHER = Completion(result={"label": "negative", "score": 0.8}, usage=Usage(1, 1, 2))


def test_a_job_is_completed_with_the_providers_answer(worker: WorkerServices, job: Job) -> None:
    ended = run(worker, job)
    assert (ended.status, ended.result, ended.usage, ended.attempts) == (
        JobStatus.COMPLETED,
        POSITIVE.result,
        POSITIVE.usage,
        1,
    )


def test_the_provider_is_asked_what_the_job_says(
    worker: WorkerServices, job: Job, request_: Request, provider: FakeProvider
) -> None:
    run(worker, job)
    assert provider.calls == [ModelCall(request_.offer.task_type, request_.model, {}, request_.input)]  # type: ignore[arg-type]


def test_the_provider_gets_every_option_of_the_task(
    worker: WorkerServices, settings: Settings, provider: FakeProvider
) -> None:
    run(worker, accepted(jobs_of(worker), ask(settings, "chat", temperature=0.0, max_tokens=7)))
    assert provider.calls[0].options == resolved(NAMED["chat"], temperature=0.0, max_tokens=7)


def test_the_answer_is_in_both_tiers(worker: WorkerServices, job: Job, request_: Request) -> None:
    ended = run(worker, job)
    cache, asked = worker.services.cache, address(request_)
    found = [cache.lookup(asked).answer, cache.recall(asked)]
    assert [(answer.job_id, answer.result) for answer in found if answer] == [(ended.id, ended.result)] * 2


def test_the_second_tier_is_filled_before_the_first_and_both_before_the_commit(
    worker: WorkerServices, job: Job
) -> None:
    seen: list[tuple[str, str]] = []

    class Watched:
        def __init__(self, tier: Tier) -> None:
            self._tier = tier

        def __getattr__(self, name: str) -> object:
            return getattr(self._tier, name)

        def set_unless_buried(self, *args: Any) -> object:
            return self._store("set_unless_buried", *args)

        def set_if_unchanged(self, *args: Any) -> object:
            return self._store("set_if_unchanged", *args)

        def _store(self, method: str, *args: Any) -> object:
            seen.append((self._tier.name, jobs_of(worker).get(job.id).status))
            return getattr(self._tier, method)(*args)

    cache = worker.services.cache
    watched = TieredCache(
        Watched(cache.l1),  # type: ignore[arg-type]  # of the same shape
        Watched(cache.l2),  # type: ignore[arg-type]  # of the same shape
        l1_ttl=300,
        l2_ttl=3600,
        purge_marks=cache.purge_marks,
    )
    run(replace(worker, services=replace(worker.services, cache=watched)), job)
    assert seen == [("redis", "in_progress"), ("memcached", "in_progress")]


def test_the_call_is_on_record(worker: WorkerServices, job: Job) -> None:
    run(worker, job)
    call = row(worker.services.database, "SELECT * FROM provider_calls")
    assert (call.job_id, call.attempt, call.outcome, call.total_tokens) == (job.id, 1, "completed", 50)
    assert call.started_at <= call.ended_at


def test_a_second_delivery_does_nothing(worker: WorkerServices, job: Job, provider: FakeProvider) -> None:
    ended = run(worker, job)
    assert run(worker, job) == ended
    assert len(provider.calls) == 1


def test_a_delivery_while_the_job_runs_does_nothing(worker: WorkerServices, job: Job, provider: FakeProvider) -> None:
    def deliver_again(_: ModelCall) -> Completion:
        run_job(job.id, worker)
        return POSITIVE

    provider.steps.append(deliver_again)
    assert run(worker, job).status is JobStatus.COMPLETED
    assert len(provider.calls) == 1


def test_an_answer_that_is_there_already_is_not_paid_for(
    worker: WorkerServices, job: Job, request_: Request, provider: FakeProvider
) -> None:
    known = an_answer()
    worker.services.cache.purge_marks.refresh()
    worker.services.cache.store(address(request_), known)
    ended = run(worker, job)
    assert (ended.status, ended.result, provider.calls) == (JobStatus.COMPLETED, known.result, [])


def test_no_call_is_on_record_where_none_was_made(worker: WorkerServices, job: Job, request_: Request) -> None:
    worker.services.cache.purge_marks.refresh()
    worker.services.cache.store(address(request_), an_answer())
    run(worker, job)
    assert rows(worker.services.database, "SELECT 1 FROM provider_calls") == []


def test_a_job_that_must_not_read_the_cache_pays_though_there_is_an_answer(
    worker: WorkerServices, request_: Request, provider: FakeProvider
) -> None:
    worker.services.cache.purge_marks.refresh()
    worker.services.cache.store(address(request_), an_answer())
    provider.steps.append(OTHER)
    ended = run(worker, accepted(jobs_of(worker), request_, refresh=True))
    assert ended.result == OTHER.result
    found = worker.services.cache.lookup(address(request_)).answer
    assert found is not None
    assert found.job_id == ended.id


def test_a_job_that_must_not_read_the_cache_takes_its_own_answer(
    worker: WorkerServices, request_: Request, provider: FakeProvider
) -> None:
    job = accepted(jobs_of(worker), request_, refresh=True)
    worker.services.cache.purge_marks.refresh()
    worker.services.cache.store(address(request_), an_answer(job_id=job.id))
    assert run(worker, job).status is JobStatus.COMPLETED
    assert provider.calls == []


def test_a_job_cancelled_while_on_the_wire_stays_cancelled(
    worker: WorkerServices, job: Job, request_: Request, provider: FakeProvider
) -> None:
    provider.steps.append(cancelling(worker, job))
    assert run(worker, job).status is JobStatus.CANCELLED
    assert worker.services.cache.lookup(address(request_)).answer is not None


def test_the_call_of_a_cancelled_job_is_on_record(worker: WorkerServices, job: Job, provider: FakeProvider) -> None:
    provider.steps.append(cancelling(worker, job))
    run(worker, job)
    assert row(worker.services.database, "SELECT outcome FROM provider_calls").outcome == "completed"


def test_a_job_that_is_cancelled_before_its_turn_asks_nobody(
    worker: WorkerServices, job: Job, provider: FakeProvider
) -> None:
    jobs_of(worker).cancel(job.id)
    run(worker, job)
    assert provider.calls == []


def test_a_no_store_job_writes_no_tier(worker: WorkerServices, request_: Request) -> None:
    ended = run(worker, accepted(jobs_of(worker), request_, sharable=False))
    assert ended.result == POSITIVE.result
    assert worker.services.cache.lookup(address(request_)).answer is None


def test_a_no_store_job_reads_no_tier(worker: WorkerServices, request_: Request, provider: FakeProvider) -> None:
    worker.services.cache.purge_marks.refresh()
    worker.services.cache.store(address(request_), an_answer())
    run(worker, accepted(jobs_of(worker), request_, sharable=False))
    assert len(provider.calls) == 1


def test_a_reply_cut_as_asked_for_completes_the_job_but_is_not_cached(
    worker: WorkerServices, job: Job, request_: Request, provider: FakeProvider
) -> None:
    provider.steps.append(Completion({"reply": "Once upon", "truncated": True}, Usage(), cacheable=False))
    assert run(worker, job).status is JobStatus.COMPLETED
    assert worker.services.cache.lookup(address(request_)).answer is None


@pytest.fixture
def aging_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As though each purge was a while ago: no copy of the purge times is new enough."""
    monkeypatch.setattr(purges, "MAX_AGE_SECONDS", 0.0)


@pytest.mark.usefixtures("aging_at_once")
def test_an_answer_from_before_a_purge_is_not_stored(
    worker: WorkerServices, job: Job, request_: Request, provider: FakeProvider
) -> None:
    def purge(_: ModelCall) -> Completion:
        PurgeStore(worker.services.database).write("default", "sentiment")
        return POSITIVE

    provider.steps.append(purge)
    assert run(worker, job).status is JobStatus.COMPLETED
    assert worker.services.cache.l2.get(address(request_).name()) is None


@pytest.mark.usefixtures("aging_at_once")
def test_an_answer_from_before_a_purge_is_not_taken(
    worker: WorkerServices, job: Job, request_: Request, provider: FakeProvider
) -> None:
    worker.services.cache.purge_marks.refresh()
    worker.services.cache.store(address(request_), an_answer(now() - timedelta(seconds=5)))
    PurgeStore(worker.services.database).write("default", "sentiment")
    run(worker, job)
    assert len(provider.calls) == 1


def test_an_answer_whose_commit_failed_is_found_again_and_not_paid_twice(
    worker: WorkerServices, job: Job, provider: FakeProvider, settings: Settings
) -> None:
    worker.claims.outage_retry.stop()
    with ExitStack() as outage:

        def lose_database(_: ModelCall) -> Completion:
            outage.enter_context(database_away(settings.database_url))
            return POSITIVE

        provider.steps.append(lose_database)
        run_job(job.id, worker)
    lose_lease(worker)
    ended = run(worker, job)
    assert (ended.status, ended.result, len(provider.calls)) == (JobStatus.COMPLETED, POSITIVE.result, 1)


def test_an_answer_waits_in_its_worker_until_postgresql_is_back(
    worker: WorkerServices, job: Job, request_: Request, provider: FakeProvider, settings: Settings
) -> None:
    with ExitStack() as outage, ThreadPoolExecutor(1) as pool:

        def lose_database(_: ModelCall) -> Completion:
            outage.enter_context(database_away(settings.database_url))
            return POSITIVE

        provider.steps.append(lose_database)
        attempt = pool.submit(run_job, job.id, worker)
        eventually(lambda: worker.services.cache.l2.get(address(request_).name()))
        assert not attempt.done()
        outage.close()
        attempt.result(10)
    ended = jobs_of(worker).get(job.id)
    assert (ended.status, ended.attempts, len(provider.calls)) == (JobStatus.COMPLETED, 1, 1)


def test_a_message_waits_in_its_worker_until_postgresql_is_back(
    worker: WorkerServices, job: Job, settings: Settings
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with database_away(settings.database_url):
            attempt = pool.submit(run_job, job.id, worker)
            assert wait([attempt], 2).not_done
        attempt.result(10)
    assert jobs_of(worker).get(job.id).status is JobStatus.COMPLETED


def test_an_answer_completes_its_job_though_the_lease_ran_out_if_nobody_has_claimed_it_since(
    worker: WorkerServices, job: Job, provider: FakeProvider
) -> None:
    def be_rescued(_: ModelCall) -> Completion:
        lose_lease(worker)
        return POSITIVE

    provider.steps.append(be_rescued)
    ended = run(worker, job)
    assert (ended.status, ended.attempts) == (JobStatus.COMPLETED, 1)


def test_a_worker_that_lost_its_lease_does_not_overwrite_the_next_ones_answer(
    worker: WorkerServices, job: Job, provider: FakeProvider
) -> None:
    def be_rescued(_: ModelCall) -> Completion:
        lose_lease(worker)
        provider.steps.append(OTHER)
        run_job(job.id, worker)
        return POSITIVE

    provider.steps.append(be_rescued)
    assert run(worker, job).result == OTHER.result
    attempts = [each.attempt for each in rows(worker.services.database, "SELECT attempt FROM provider_calls")]
    assert sorted(attempts) == [1, 2]


def test_an_uploaded_picture_that_is_no_picture_fails_the_job(
    worker: WorkerServices, settings: Settings, provider: FakeProvider
) -> None:
    broken = ask(settings, "image_classification", picture_of(b"\x89PNG\r\n\x1a\n broken"))
    ended = run(worker, accepted(jobs_of(worker), broken))
    assert ended.failure is not None
    assert (ended.failure.code, provider.calls) == ("image_unsupported", [])


def test_without_tiers_jobs_are_completed_all_the_same(
    open_worker: Callable[[Settings, FakeProvider], WorkerServices], configure: Callable[..., Settings]
) -> None:
    settings = configure(MEMCACHED_SERVERS="127.0.0.1:9", REDIS_CACHE_URL="redis://127.0.0.1:9/0")
    worker = open_worker(settings, FakeProvider())
    assert run(worker, accepted(jobs_of(worker), ask(settings))).status is JobStatus.COMPLETED


def cancelling(worker: WorkerServices, job: Job) -> Callable[[ModelCall], Completion]:
    def cancel(_: ModelCall) -> Completion:
        jobs_of(worker).cancel(job.id)
        return POSITIVE

    return cancel
