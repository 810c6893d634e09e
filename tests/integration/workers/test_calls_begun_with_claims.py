"""A text job's claim records its call too. What becomes of the record when the call is not made."""

from shared.domain.request import Request
from shared.jobs.job import Job, JobStatus
from tests.integration.asking import address, an_answer, rows, write
from tests.integration.fake_provider import FakeProvider
from tests.integration.running import run
from workers.bootstrap import WorkerServices

RECORDS = "SELECT outcome, model FROM provider_calls ORDER BY id"


def test_the_call_that_is_made_is_the_one_on_record(worker: WorkerServices, job: Job) -> None:
    run(worker, job)
    assert rows(worker.services.database, RECORDS) == [("completed", job.model)]


def test_no_call_is_on_record_for_an_answer_that_was_there(
    worker: WorkerServices, job: Job, request_: Request, provider: FakeProvider
) -> None:
    worker.services.cache.purge_marks.refresh()
    worker.services.cache.store(address(request_), an_answer())
    assert (run(worker, job).status, provider.calls) == (JobStatus.COMPLETED, [])
    assert rows(worker.services.database, RECORDS) == []


def test_no_call_is_on_record_for_a_job_past_its_deadline(worker: WorkerServices, job: Job) -> None:
    write(worker.services.database, "UPDATE jobs SET deadline_at = now() - interval '1 second'")
    assert run(worker, job).status is JobStatus.FAILED
    assert rows(worker.services.database, RECORDS) == []


def test_no_call_is_on_record_for_a_provider_that_may_not_be_asked_now(worker: WorkerServices, job: Job) -> None:
    gate = worker.services.gate
    permit = gate.acquire(job, job.route)
    gate.pause(permit, 30)
    gate.release(permit)
    assert run(worker, job).status is JobStatus.QUEUED
    assert rows(worker.services.database, RECORDS) == []
