"""A job is claimed once, and only its claim may write."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from api.jobs.store import JobStore
from shared.db.engine import Database
from shared.jobs.errors import ProviderUnavailable
from shared.jobs.job import Job, JobStatus
from tests.integration.asking import an_answer, row, write
from tests.integration.claiming import a_call, lose_lease
from workers.jobs.claims import Claims

LEASE_SECONDS = 30
REPUBLISH_SECONDS = 15
SHA256 = "5" * 64


def test_a_claim_starts_the_first_attempt(claims: Claims, new_job: Callable[[], Job]) -> None:
    job = claims.claim(new_job().id)
    assert job is not None
    assert (job.status, job.attempts, job.claims) == (JobStatus.IN_PROGRESS, 1, 1)
    assert job.started_at is not None


def test_twenty_workers_with_one_message_make_one_claim(claims: Claims, new_job: Callable[[], Job]) -> None:
    job = new_job()
    with ThreadPoolExecutor(20) as pool:
        taken = list(pool.map(lambda _: claims.claim(job.id), range(20)))
    assert sum(claim is not None for claim in taken) == 1


def test_a_job_that_is_not_due_cant_be_claimed(claims: Claims, new_job: Callable[[], Job], database: Database) -> None:
    job = new_job()
    write(database, "UPDATE jobs SET not_before = now() + interval '1 minute'")
    assert claims.claim(job.id) is None


def test_a_cancelled_job_cant_be_claimed(claims: Claims, new_job: Callable[[], Job], jobs: JobStore) -> None:
    job = new_job()
    jobs.cancel(job.id)
    assert claims.claim(job.id) is None


def test_a_completed_job_cant_be_claimed_again(claims: Claims, claimed: Callable[[], Job]) -> None:
    job = claimed()
    claims.complete(job, an_answer(), None)
    assert claims.claim(job.id) is None


def test_a_completed_job_has_its_answer(claims: Claims, claimed: Callable[[], Job], jobs: JobStore) -> None:
    job = claimed()
    answer = an_answer(job_id=job.id)
    assert claims.complete(job, answer, a_call(claims, job))
    ended = jobs.get(job.id)
    assert (ended.status, ended.result, ended.usage, ended.completed_at) == (
        JobStatus.COMPLETED,
        answer.result,
        answer.usage,
        answer.completed_at,
    )


def test_a_completed_job_holds_no_lease(claims: Claims, claimed: Callable[[], Job], database: Database) -> None:
    claims.complete(claimed(), an_answer(), None)
    assert row(database, "SELECT lease_until FROM jobs").lease_until is None


def test_a_failed_job_says_why(claims: Claims, claimed: Callable[[], Job], jobs: JobStore) -> None:
    job = claimed()
    assert claims.fail(job, ProviderUnavailable("It is on fire."), a_call(claims, job, "provider_unavailable"))
    failure = jobs.get(job.id).failure
    assert failure is not None
    assert (failure.code, failure.retryable) == ("provider_unavailable", True)
    assert failure.detail == f"It is on fire. {ProviderUnavailable.remedy}"


def test_a_worker_that_lost_its_lease_fails_nothing(
    claims: Claims, claimed: Callable[[], Job], jobs: JobStore, database: Database
) -> None:
    late = claimed()
    lose_lease(database)
    assert not claims.fail(late, ProviderUnavailable(), None)
    assert jobs.get(late.id).status is JobStatus.QUEUED


def test_a_late_answer_completes_a_job_that_nobody_has_claimed_since(
    claims: Claims, claimed: Callable[[], Job], jobs: JobStore, database: Database
) -> None:
    late = claimed()
    lose_lease(database)
    assert claims.complete(late, an_answer(), None)
    assert jobs.get(late.id).status is JobStatus.COMPLETED
    assert claims.claim(late.id) is None


def test_a_late_worker_cant_disturb_the_next_claim(
    claims: Claims, claimed: Callable[[], Job], jobs: JobStore, database: Database
) -> None:
    late = claimed()
    lose_lease(database)
    second = claims.claim(late.id)
    assert second is not None
    assert not claims.requeue(late, 0, counted=True)
    assert not claims.fail(late, ProviderUnavailable(), None)
    assert not claims.complete(late, an_answer(), None)
    assert jobs.get(late.id) == second


def test_an_uncounted_attempt_still_has_a_fence_of_its_own(
    claims: Claims, claimed: Callable[[], Job], jobs: JobStore, database: Database
) -> None:
    first = claimed()
    claims.requeue(first, 0, counted=False)
    write(database, "UPDATE jobs SET not_before = now()")
    second = claims.claim(first.id)
    assert second is not None
    assert second.attempts == first.attempts
    assert not claims.complete(first, an_answer(), None)
    assert jobs.get(first.id).status is JobStatus.IN_PROGRESS


def test_renewing_extends_the_lease(claims: Claims, claimed: Callable[[], Job], database: Database) -> None:
    job = claimed()
    write(database, "UPDATE jobs SET lease_until = now() + interval '1 second'")
    claims.renew([job])
    left = row(database, "SELECT extract(epoch FROM lease_until - now()) AS seconds FROM jobs").seconds
    assert LEASE_SECONDS - 5 < left <= LEASE_SECONDS


def test_renewing_extends_every_lease_in_hand(claims: Claims, claimed: Callable[[], Job], database: Database) -> None:
    held = [claimed() for _ in range(3)]
    write(database, "UPDATE jobs SET lease_until = now() + interval '1 second'")
    claims.renew(held)
    assert row(database, "SELECT min(lease_until) > now() + interval '20 seconds' AS all FROM jobs").all


def test_renewing_nothing_is_fine(claims: Claims) -> None:
    claims.renew([])


def test_a_lost_claim_renews_nothing(claims: Claims, claimed: Callable[[], Job], database: Database) -> None:
    late = claimed()
    lose_lease(database)
    claims.claim(late.id)
    write(database, "UPDATE jobs SET lease_until = now() + interval '1 second'")
    claims.renew([late])
    assert row(database, "SELECT lease_until < now() + interval '2 seconds' AS kept FROM jobs").kept


def test_a_requeued_job_waits_for_its_time(claims: Claims, claimed: Callable[[], Job], database: Database) -> None:
    job = claimed()
    assert claims.requeue(job, 60, counted=True)
    found = row(
        database, "SELECT status, lease_until, not_before = publish_at AS same, not_before > now() AS waits FROM jobs"
    )
    assert tuple(found) == ("queued", None, True, True)
    assert claims.claim(job.id) is None


def test_a_requeued_job_keeps_its_attempt(claims: Claims, claimed: Callable[[], Job], jobs: JobStore) -> None:
    job = claimed()
    claims.requeue(job, 0, counted=True)
    assert jobs.get(job.id).attempts == 1


@pytest.mark.parametrize("counted", [True, False])
def test_a_job_that_waits_has_not_begun_and_its_next_attempt_has_a_time_of_its_own(
    claims: Claims,
    claimed: Callable[[], Job],
    jobs: JobStore,
    database: Database,
    counted: bool,  # noqa: FBT001  both are the same
) -> None:
    first = claimed()
    claims.requeue(first, 0, counted=counted)
    assert jobs.get(first.id).started_at is None
    write(database, "UPDATE jobs SET not_before = now()")
    second = claims.claim(first.id)
    assert second is not None
    assert first.started_at is not None
    assert second.started_at is not None
    assert second.started_at > first.started_at


def test_a_job_that_has_lost_its_worker_keeps_the_time_of_the_lost_attempt(
    claims: Claims, claimed: Callable[[], Job], database: Database
) -> None:
    first = claimed()
    lose_lease(database)
    second = claims.claim(first.id)
    assert second is not None
    assert second.started_at == first.started_at


def test_a_job_that_waits_is_due_on_a_whole_second_not_before_its_time(
    claims: Claims, claimed: Callable[[], Job], database: Database
) -> None:
    claims.requeue(claimed(), 60, counted=False)
    due = row(database, "SELECT not_before, publish_at, extract(epoch FROM not_before - now()) AS left FROM jobs")
    assert due.not_before.microsecond == 0
    assert due.publish_at == due.not_before
    assert 55 < due.left <= 61


def test_a_job_that_waits_gets_its_attempt_back(claims: Claims, claimed: Callable[[], Job], jobs: JobStore) -> None:
    job = claimed()
    claims.requeue(job, 60, counted=False)
    assert jobs.get(job.id).attempts == 0


def test_an_unknown_job_cant_be_claimed(claims: Claims) -> None:
    assert claims.claim(uuid.uuid4()) is None
