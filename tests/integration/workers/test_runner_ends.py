"""What `run_job` says of an attempt."""

from shared.jobs.errors import ProviderRejected, ProviderUnavailable
from shared.jobs.job import Job
from tests.integration.fake_provider import POSITIVE, FakeProvider
from tests.integration.running import jobs_of
from workers.bootstrap import WorkerServices
from workers.jobs.attempt import COMPLETED, LOST, NOTHING, AttemptEnd, Ended
from workers.providers.base import Completion, ModelCall
from workers.runner import run_job


def test_an_answer_completes_it(worker: WorkerServices, job: Job) -> None:
    assert run_job(job.id, worker) == COMPLETED


def test_an_error_that_stays_fails_it_with_its_code(worker: WorkerServices, job: Job, provider: FakeProvider) -> None:
    provider.default = ProviderRejected()
    assert run_job(job.id, worker) == AttemptEnd(Ended.FAILED, "provider_rejected")


def test_an_error_that_may_pass_puts_it_off_with_its_code(
    worker: WorkerServices, job: Job, provider: FakeProvider
) -> None:
    provider.default = ProviderUnavailable()
    assert run_job(job.id, worker) == AttemptEnd(Ended.LATER, "provider_unavailable")


def test_a_second_delivery_finds_nothing(worker: WorkerServices, job: Job) -> None:
    run_job(job.id, worker)
    assert run_job(job.id, worker) == NOTHING


def test_a_job_cancelled_while_on_the_wire_is_lost_to_it(
    worker: WorkerServices, job: Job, provider: FakeProvider
) -> None:
    def cancel(_: ModelCall) -> Completion:
        jobs_of(worker).cancel(job.id)
        return POSITIVE

    provider.default = cancel
    assert run_job(job.id, worker) == LOST
