"""Jobs that wait until their provider may be asked: for its breaker, for our limit, for the time that it named."""

from collections.abc import Callable
from uuid import UUID

import pytest
from redis import Redis

from shared.config import Settings
from shared.jobs.errors import BadAnswer, ModelNotAvailable, ProviderError, ProviderRateLimited, ProviderTimeout
from shared.jobs.errors import ProviderUnavailable as Unavailable
from shared.jobs.job import Job, JobStatus
from shared.provider_limits import gate as provider_gate
from shared.provider_limits.gate import FAILURES_TO_OPEN, BreakerState
from tests.installation import Installation
from tests.integration.asking import accepted, ask, rows, write
from tests.integration.eventually import eventually
from tests.integration.fake_provider import POSITIVE, FakeProvider
from tests.integration.running import jobs_of, run
from workers.bootstrap import WorkerServices
from workers.maintenance.sweeps import Sweeps
from workers.providers.base import Completion

NewJob = Callable[[], Job]


def seconds_left(worker: WorkerServices, job: Job) -> float:
    (found,) = rows(
        worker.services.database,
        "SELECT extract(epoch FROM not_before - now()) AS left FROM jobs WHERE id = :id",
        id=job.id,
    )
    return float(found.left)


def make_due(worker: WorkerServices, job: Job) -> None:
    write(worker.services.database, "UPDATE jobs SET not_before = now(), publish_at = now() WHERE id = :id", id=job.id)


def run_now(worker: WorkerServices, job: Job) -> Job:
    make_due(worker, job)
    return run(worker, job)


def state(worker: WorkerServices, job: Job) -> BreakerState:
    return worker.services.gate.state(job.provider, job.model)


def run_when_due(worker: WorkerServices, job: Job) -> Job:
    """Run the job once the open breaker lets it find out how the provider is."""
    eventually(lambda: state(worker, job) is BreakerState.DUE)
    return run_now(worker, job)


def trip(worker: WorkerServices, provider: FakeProvider, new_job: NewJob) -> None:
    """Let enough jobs fail that the breaker opens."""
    provider.steps.extend([Unavailable()] * FAILURES_TO_OPEN)
    for _ in range(FAILURES_TO_OPEN):
        run(worker, new_job())
    provider.calls.clear()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_gate, "FIRST_PAUSE_SECONDS", 0.05)


def test_while_the_breaker_is_open_a_job_waits_without_an_attempt(
    worker: WorkerServices, provider: FakeProvider, new_job: NewJob
) -> None:
    trip(worker, provider, new_job)
    job = new_job()
    found = run(worker, job)
    assert (found.status, found.attempts, provider.calls) == (JobStatus.QUEUED, 0, [])
    assert 0 < seconds_left(worker, job) <= provider_gate.FIRST_PAUSE_SECONDS + 1


@pytest.mark.usefixtures("quick")
def test_a_job_that_finds_the_provider_back_closes_the_breaker(
    worker: WorkerServices, provider: FakeProvider, new_job: NewJob
) -> None:
    trip(worker, provider, new_job)
    job, next_job = new_job(), new_job()
    assert run_when_due(worker, job).status is JobStatus.COMPLETED
    assert run(worker, next_job).status is JobStatus.COMPLETED


@pytest.mark.usefixtures("quick")
def test_a_job_that_finds_the_provider_still_away_has_made_no_attempt_and_goes_to_the_end(
    worker: WorkerServices, provider: FakeProvider, new_job: NewJob, settings: Settings
) -> None:
    trip(worker, provider, new_job)
    provider.steps.append(ProviderTimeout())
    first, second = new_job(), new_job()
    eventually(lambda: state(worker, first) is BreakerState.DUE)
    with Redis.from_url(settings.redis_cache_url) as client:
        # The next pause is twice as long: too long for the second job to come after it.
        client.hset(f"askonce:breaker:{first.provider}:{first.model}", "pause", 20_000)
    found = run_now(worker, first)
    run(worker, second)
    assert (found.status, found.attempts, len(provider.calls)) == (JobStatus.QUEUED, 0, 1)
    assert seconds_left(worker, first) > seconds_left(worker, second)


@pytest.mark.usefixtures("quick")
def test_a_call_that_finds_the_provider_still_away_is_on_record(
    worker: WorkerServices, provider: FakeProvider, new_job: NewJob
) -> None:
    trip(worker, provider, new_job)
    provider.steps.append(ProviderTimeout())
    job = new_job()
    run_when_due(worker, job)
    calls = rows(worker.services.database, "SELECT error_code FROM provider_calls WHERE job_id = :id", id=job.id)
    assert [call.error_code for call in calls] == ["provider_timeout"]


@pytest.mark.usefixtures("quick")
def test_a_job_survives_an_outage_that_has_more_probes_than_it_has_attempts(
    worker: WorkerServices, provider: FakeProvider, new_job: NewJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_gate, "LONGEST_PAUSE_SECONDS", 0.05)
    trip(worker, provider, new_job)
    job = new_job()
    probes = worker.services.settings.max_attempts + 1
    provider.steps.extend([Unavailable()] * probes)
    for _ in range(probes):
        assert run_when_due(worker, job).status is JobStatus.QUEUED
    ended = run_when_due(worker, job)
    assert (ended.status, ended.attempts) == (JobStatus.COMPLETED, 1)


@pytest.mark.parametrize("error", [ModelNotAvailable(), BadAnswer(), ProviderRateLimited()])
def test_a_provider_that_says_something_is_there(
    worker: WorkerServices, provider: FakeProvider, new_job: NewJob, error: ProviderError
) -> None:
    provider.steps.extend([error] * FAILURES_TO_OPEN)
    jobs = [new_job() for _ in range(FAILURES_TO_OPEN + 1)]
    for job in jobs[:-1]:
        run(worker, job)
    assert run(worker, jobs[-1]).status is JobStatus.COMPLETED


def test_a_job_whose_deadline_comes_while_the_breaker_is_open_fails_for_that(
    worker: WorkerServices, provider: FakeProvider, new_job: NewJob
) -> None:
    trip(worker, provider, new_job)
    job = new_job()
    write(worker.services.database, "UPDATE jobs SET deadline_at = now() + interval '1 second'")
    ended = run(worker, job)
    assert ended.failure is not None
    assert (ended.status, ended.failure.code, ended.failure.retryable) == (JobStatus.FAILED, "breaker_open", True)


@pytest.mark.usefixtures("quick")
def test_a_job_that_was_cancelled_before_it_could_find_out_leaves_that_to_the_next(
    worker: WorkerServices, provider: FakeProvider, new_job: NewJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    trip(worker, provider, new_job)
    job, next_job = new_job(), new_job()
    enter = worker.services.gate.acquire
    monkeypatch.setattr(
        worker.services.gate, "acquire", lambda *asked: (enter(*asked), jobs_of(worker).cancel(job.id))[0]
    )
    run_when_due(worker, job)
    monkeypatch.undo()
    assert run_now(worker, next_job).status is JobStatus.COMPLETED


def test_a_refusal_that_says_how_long_is_no_attempt(
    worker: WorkerServices, provider: FakeProvider, new_job: NewJob
) -> None:
    provider.steps.append(ProviderRateLimited(retry_after=90))
    job = new_job()
    found = run(worker, job)
    assert (found.status, found.attempts) == (JobStatus.QUEUED, 0)
    assert 85 < seconds_left(worker, job) <= 91


def test_a_refusal_that_does_not_say_how_long_is_an_attempt(
    worker: WorkerServices, provider: FakeProvider, new_job: NewJob
) -> None:
    provider.steps.append(ProviderRateLimited())
    assert run(worker, new_job()).attempts == 1


@pytest.mark.parametrize(
    "step", [ProviderRateLimited(retry_after=90), Completion(POSITIVE.result, POSITIVE.usage, pause=90)]
)
def test_all_jobs_of_a_model_wait_until_its_provider_takes_more(
    worker: WorkerServices, provider: FakeProvider, new_job: NewJob, step: ProviderError | Completion
) -> None:
    provider.steps.append(step)
    jobs = [new_job() for _ in range(3)]
    for job in jobs:
        run(worker, job)
    assert len(provider.calls) == 1
    assert all(85 < seconds_left(worker, job) <= 91 for job in jobs[1:])


def test_jobs_of_another_model_do_not_wait(
    worker: WorkerServices, provider: FakeProvider, new_job: NewJob, configure: Callable[..., Settings]
) -> None:
    provider.steps.append(ProviderRateLimited(retry_after=90))
    run(worker, new_job())
    other = ask(configure(SENTIMENT_MODEL="openai/gpt-oss-120b"))
    assert run(worker, accepted(jobs_of(worker), other)).status is JobStatus.COMPLETED


@pytest.fixture
def limited(installation: Installation) -> WorkerServices:
    return installation.open_worker(installation.configure(GROQ_REQUESTS_PER_MINUTE="2"), installation.provider)


def test_jobs_over_the_limit_wait_without_an_attempt(
    limited: WorkerServices, provider: FakeProvider, new_job: NewJob
) -> None:
    found = [run(limited, new_job()) for _ in range(4)]
    assert [(job.status, job.attempts) for job in found] == [
        *[(JobStatus.COMPLETED, 1)] * 2,
        *[(JobStatus.QUEUED, 0)] * 2,
    ]
    assert len(provider.calls) == 2


def test_what_is_answered_from_the_cache_needs_no_place_within_the_limit(
    limited: WorkerServices, new_job: NewJob
) -> None:
    job = new_job()
    run(limited, job)
    write(limited.services.database, "UPDATE jobs SET status = 'queued', attempts = 0")
    run(limited, job)
    assert run(limited, new_job()).status is JobStatus.COMPLETED


def test_jobs_that_wait_for_the_same_moment_are_published_oldest_first(
    worker: WorkerServices, provider: FakeProvider, new_job: NewJob
) -> None:
    provider.steps.append(ProviderRateLimited(retry_after=90))
    jobs = [new_job() for _ in range(10)]
    for job in [jobs[0], *reversed(jobs[1:])]:
        run(worker, job)
    write(worker.services.database, "UPDATE jobs SET publish_at = date_trunc('day', publish_at)")
    published: list[UUID] = []
    list(Sweeps(worker.services.database, 15).publish_due("text", lambda due, _: not published.extend(due)))
    assert published == [job.id for job in jobs]
