"""What becomes of a job whose attempt failed."""

import pytest

from shared.domain.request import Request
from shared.jobs.errors import BadAnswer, ProviderError, ProviderRateLimited, ProviderRejected
from shared.jobs.errors import ProviderUnavailable as Unavailable
from shared.jobs.job import Job, JobStatus
from tests.integration.asking import address, row, write
from tests.integration.fake_provider import FakeProvider
from tests.integration.running import make_due, run, seconds_to_wait
from workers.bootstrap import WorkerServices
from workers.jobs.attempt import AttemptEnd, Ended
from workers.runner import run_job


def test_a_passing_error_puts_the_job_back_for_later(worker: WorkerServices, job: Job, provider: FakeProvider) -> None:
    provider.steps.append(Unavailable())
    found = run(worker, job)
    assert (found.status, found.attempts) == (JobStatus.QUEUED, 1)
    assert 0 < seconds_to_wait(worker) <= 1


def test_a_failed_attempt_is_on_record(worker: WorkerServices, job: Job, provider: FakeProvider) -> None:
    provider.steps.append(Unavailable())
    run(worker, job)
    call = row(worker.services.database, "SELECT outcome, error_code FROM provider_calls")
    assert tuple(call) == ("failed", "provider_unavailable")


def test_a_job_that_waits_is_not_run_before_its_time(worker: WorkerServices, job: Job, provider: FakeProvider) -> None:
    provider.steps.append(ProviderRateLimited(retry_after=60))
    run(worker, job)
    run(worker, job)
    assert len(provider.calls) == 1


def test_a_job_succeeds_after_a_passing_error(worker: WorkerServices, job: Job, provider: FakeProvider) -> None:
    provider.steps.append(Unavailable())
    run(worker, job)
    make_due(worker)
    ended = run(worker, job)
    assert (ended.status, ended.attempts) == (JobStatus.COMPLETED, 2)


def test_the_wait_grows_with_each_attempt(worker: WorkerServices, job: Job, provider: FakeProvider) -> None:
    waits = []
    for _ in range(4):
        provider.steps.append(Unavailable())
        make_due(worker)
        run(worker, job)
        waits.append(seconds_to_wait(worker))
    assert all(0.5 * 2**number - 0.5 < wait <= 2**number for number, wait in enumerate(waits))


def test_the_provider_says_how_long_to_wait(worker: WorkerServices, job: Job, provider: FakeProvider) -> None:
    provider.steps.append(ProviderRateLimited(retry_after=120))
    run(worker, job)
    assert 115 < seconds_to_wait(worker) <= 121


def test_a_wait_beyond_the_deadline_ends_the_job(worker: WorkerServices, job: Job, provider: FakeProvider) -> None:
    provider.steps.append(ProviderRateLimited(retry_after=4000))
    ended = run(worker, job)
    assert ended.failure is not None
    assert (ended.status, ended.failure.code) == (JobStatus.FAILED, "deadline_exceeded")


def test_a_job_past_its_deadline_asks_nobody(worker: WorkerServices, job: Job, provider: FakeProvider) -> None:
    write(worker.services.database, "UPDATE jobs SET deadline_at = now() - interval '1 second'")
    ended = run(worker, job)
    assert ended.failure is not None
    assert (ended.failure.code, provider.calls) == ("deadline_exceeded", [])


def test_the_last_attempts_error_is_the_jobs(worker: WorkerServices, job: Job, provider: FakeProvider) -> None:
    provider.default = Unavailable("Out of order.")
    for _ in range(worker.services.settings.max_attempts):
        make_due(worker)
        ended = run(worker, job)
    assert ended.failure is not None
    assert (ended.status, ended.failure.code, ended.failure.detail) == (
        JobStatus.FAILED,
        "provider_unavailable",
        f"Out of order. {Unavailable.remedy}",
    )
    assert len(provider.calls) == worker.services.settings.max_attempts


def test_a_lasting_error_ends_the_job_at_once(worker: WorkerServices, job: Job, provider: FakeProvider) -> None:
    provider.steps.append(ProviderRejected("No."))
    ended = run(worker, job)
    assert ended.failure is not None
    assert (ended.status, ended.failure.code, ended.failure.retryable) == (
        JobStatus.FAILED,
        "provider_rejected",
        False,
    )
    assert ended.attempts == 1


@pytest.mark.parametrize("error", [BadAnswer(), ProviderRejected()])
def test_nothing_of_a_failed_attempt_is_cached(
    worker: WorkerServices, job: Job, request_: Request, provider: FakeProvider, error: ProviderError
) -> None:
    provider.steps.append(error)
    run(worker, job)
    assert worker.services.cache.lookup(address(request_)).answer is None


def test_an_error_that_nobody_has_foreseen_is_recorded_and_tried_again(
    worker: WorkerServices, job: Job, provider: FakeProvider
) -> None:
    provider.steps.append(ZeroDivisionError("secret"))
    assert run_job(job.id, worker) == AttemptEnd(Ended.LATER, "internal_error")
    call = row(worker.services.database, "SELECT outcome, error_code, cost FROM provider_calls")
    assert tuple(call) == ("failed", "internal_error", None)
    make_due(worker)
    assert run(worker, job).status is JobStatus.COMPLETED


def test_an_unforeseen_error_ends_a_job_whose_attempts_are_used_up(
    worker: WorkerServices, job: Job, provider: FakeProvider
) -> None:
    provider.default = ZeroDivisionError()
    write(worker.services.database, "UPDATE jobs SET attempts = :most", most=worker.services.settings.max_attempts - 1)
    failure = run(worker, job).failure
    assert failure is not None
    assert (failure.code, failure.retryable) == ("internal_error", True)


def test_an_unforeseen_error_is_logged_once_with_its_trace(
    worker: WorkerServices, job: Job, provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.steps.append(ZeroDivisionError())
    run(worker, job)
    assert [record.message for record in caplog.records if record.exc_info] == ["Attempt failed unexpectedly"]
