"""A job is claimed once, and only its claim may write."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import pytest

from shared.answer import Usage
from shared.config import Settings
from shared.db.engine import Database
from shared.job_errors import ContentBusy, ImageUnreachable, ProviderUnavailable
from shared.job_store import JobStore
from shared.jobs import Job, JobStatus
from shared.prices import Price, Prices
from shared.times import now
from tests.integration.asking import accepted, an_answer, ask_about_picture, png, row, rows, write
from workers.call_records import ProviderCall
from workers.claims import Claims
from workers.endurance import Endurance
from workers.sweeps import Sweeps

LEASE_SECONDS = 30
REPUBLISH_SECONDS = 15
SHA256 = "5" * 64


@pytest.fixture
def claimed(claims: Claims, new_job: Callable[[], Job]) -> Callable[[], Job]:
    def make() -> Job:
        job = claims.claim(new_job().id)
        assert job is not None
        return job

    return make


def a_call(claims: Claims, job: Job, error_code: str | None = None) -> ProviderCall:
    call_id = claims.begin_call(job, job.model)
    assert call_id is not None
    return ProviderCall(call_id, job.model, now(), error_code, Usage(1, 2, 3))


def lose_lease(database: Database) -> None:
    write(database, "UPDATE jobs SET lease_until = now() - interval '1 second'")
    list(Sweeps(database, REPUBLISH_SECONDS).take_back_lost(max_attempts=5))


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
    job = jobs.cancel(new_job().id)
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


def test_the_call_is_on_record_with_its_answer(claims: Claims, claimed: Callable[[], Job], database: Database) -> None:
    job = claimed()
    claims.complete(job, an_answer(), a_call(claims, job))
    call = row(database, "SELECT * FROM provider_calls")
    assert (call.job_id, call.attempt, call.outcome, call.error_code, call.total_tokens) == (
        job.id,
        1,
        "completed",
        None,
        3,
    )
    assert (call.task_type, call.provider, call.model) == (job.task_type, job.provider, job.model)


def test_a_failed_job_says_why(claims: Claims, claimed: Callable[[], Job], jobs: JobStore) -> None:
    job = claimed()
    assert claims.fail(job, ProviderUnavailable("It is on fire."), a_call(claims, job, "provider_unavailable"))
    failure = jobs.get(job.id).failure
    assert failure is not None
    assert (failure.code, failure.detail, failure.retryable) == ("provider_unavailable", "It is on fire.", True)


def test_a_failed_call_is_on_record(claims: Claims, claimed: Callable[[], Job], database: Database) -> None:
    job = claimed()
    claims.fail(job, ProviderUnavailable(), a_call(claims, job, "provider_unavailable"))
    call = row(database, "SELECT outcome, error_code FROM provider_calls")
    assert tuple(call) == ("failed", "provider_unavailable")


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
    assert not claims.put_back(late, 0)
    assert not claims.fail(late, ProviderUnavailable(), None)
    assert not claims.complete(late, an_answer(), None)
    assert jobs.get(late.id) == second


def test_the_call_of_a_late_worker_is_on_record_all_the_same(
    claims: Claims, claimed: Callable[[], Job], database: Database
) -> None:
    late = claimed()
    call = a_call(claims, late)
    lose_lease(database)
    claims.complete(late, an_answer(), call)
    assert tuple(row(database, "SELECT attempt, outcome FROM provider_calls")) == (1, "completed")


def test_a_call_is_on_record_before_it_is_made(claims: Claims, claimed: Callable[[], Job], database: Database) -> None:
    job = claimed()
    claims.begin_call(job, job.model)
    call = row(database, "SELECT * FROM provider_calls")
    assert (call.job_id, call.attempt, call.outcome, call.ended_at) == (job.id, 1, "started", None)


def test_a_worker_that_lost_its_claim_may_not_call(
    claims: Claims, claimed: Callable[[], Job], database: Database
) -> None:
    late = claimed()
    lose_lease(database)
    assert claims.begin_call(late, late.model) is None
    assert rows(database, "SELECT 1 FROM provider_calls") == []


def test_a_call_costs_its_tokens_at_the_price_of_its_model(
    claims: Claims, claimed: Callable[[], Job], database: Database
) -> None:
    job = claimed()
    claims.complete(job, an_answer(), a_call(claims, job))
    assert row(database, "SELECT cost FROM provider_calls").cost == Decimal("0.0000045")


def test_a_call_to_a_model_without_a_price_costs_nobody_knows_what(
    claims: Claims, claimed: Callable[[], Job], database: Database
) -> None:
    job = claimed()
    call = replace(a_call(claims, job), model="unknown")
    claims.complete(job, an_answer(), call)
    assert row(database, "SELECT cost FROM provider_calls").cost is None


@pytest.mark.parametrize(("code", "cost"), [("rate_limited", 0), ("provider_timeout", None)])
def test_a_refusal_is_free_and_a_silence_is_not_known(
    claims: Claims, claimed: Callable[[], Job], database: Database, code: str, cost: int | None
) -> None:
    job = claimed()
    claims.put_back(job, 0, replace(a_call(claims, job, code), usage=Usage()))
    assert row(database, "SELECT cost FROM provider_calls").cost == cost


def test_what_a_failed_call_without_counts_costs_is_not_known_even_where_a_call_has_a_price(
    database: Database, new_job: Callable[[], Job]
) -> None:
    job = new_job()
    claims = Claims(database, LEASE_SECONDS, Prices({job.model: Price(call=Decimal("0.1"))}), Endurance(0))
    claimed = claims.claim(job.id)
    assert claimed is not None
    claims.put_back(claimed, 0, replace(a_call(claims, claimed, "provider_timeout"), usage=Usage()))
    assert row(database, "SELECT cost FROM provider_calls").cost is None


def test_a_call_keeps_its_cached_tokens_and_costs_less_for_them(
    claims: Claims, claimed: Callable[[], Job], database: Database
) -> None:
    job = claimed()
    usage = Usage(10, 2, 12, cached_tokens=8)
    claims.complete(job, replace(an_answer(), usage=usage), replace(a_call(claims, job), usage=usage))
    call = row(database, "SELECT cached_tokens, cost FROM provider_calls")
    assert (call.cached_tokens, call.cost) == (8, Decimal("0.000007"))
    assert row(database, "SELECT cached_tokens FROM jobs").cached_tokens == 8


def test_an_answer_found_in_the_cache_ends_the_call_that_made_it(
    claims: Claims, claimed: Callable[[], Job], database: Database
) -> None:
    job = claimed()
    claims.begin_call(job, job.model)
    answer = an_answer(job_id=job.id)
    lose_lease(database)
    again = claims.claim(job.id)
    assert again is not None
    claims.complete(again, answer, None)
    call = row(database, "SELECT * FROM provider_calls")
    assert (call.outcome, call.ended_at, call.total_tokens) == ("completed", answer.completed_at, 5)


def test_a_call_whose_worker_died_is_ended_when_no_end_can_come(
    claims: Claims, claimed: Callable[[], Job], database: Database
) -> None:
    job = claimed()
    claims.begin_call(job, job.model)
    sweeps = Sweeps(database, REPUBLISH_SECONDS)
    assert (sum(sweeps.close_lost_calls(60)), sum(sweeps.close_lost_calls(0))) == (0, 1)
    call = row(database, "SELECT * FROM provider_calls")
    assert (call.outcome, call.error_code, call.cost) == ("failed", "worker_lost", None)


def test_an_uncounted_attempt_still_has_a_fence_of_its_own(
    claims: Claims, claimed: Callable[[], Job], jobs: JobStore
) -> None:
    first = claimed()
    claims.put_back(first, 0, counted=False)
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


def test_a_job_put_back_waits_for_its_time(claims: Claims, claimed: Callable[[], Job], database: Database) -> None:
    job = claimed()
    assert claims.put_back(job, 60)
    found = row(
        database, "SELECT status, lease_until, not_before = publish_at AS same, not_before > now() AS waits FROM jobs"
    )
    assert tuple(found) == ("queued", None, True, True)
    assert claims.claim(job.id) is None


def test_a_job_put_back_keeps_its_attempt(claims: Claims, claimed: Callable[[], Job], jobs: JobStore) -> None:
    job = claimed()
    claims.put_back(job, 0)
    assert jobs.get(job.id).attempts == 1


def test_waiting_is_no_attempt(claims: Claims, claimed: Callable[[], Job], jobs: JobStore) -> None:
    job = claimed()
    claims.put_back(job, 0, counted=False)
    assert jobs.get(job.id).attempts == 0


def test_a_later_attempt_keeps_the_time_of_the_first(claims: Claims, claimed: Callable[[], Job]) -> None:
    first = claimed()
    claims.put_back(first, 0)
    second = claims.claim(first.id)
    assert second is not None
    assert second.started_at == first.started_at


def test_one_job_at_a_time_pays_for_a_content(claims: Claims, claimed: Callable[[], Job]) -> None:
    claims.reserve(claimed(), "content", SHA256)
    with pytest.raises(ContentBusy):
        claims.reserve(claimed(), "content", SHA256)


def test_a_job_may_reserve_again_what_it_holds(claims: Claims, claimed: Callable[[], Job]) -> None:
    job = claimed()
    claims.reserve(job, "content", SHA256)
    claims.reserve(job, "content", SHA256)


def test_different_contents_are_paid_at_once(claims: Claims, claimed: Callable[[], Job]) -> None:
    claims.reserve(claimed(), "one", SHA256)
    claims.reserve(claimed(), "other", SHA256)


def test_a_job_that_waits_is_due_on_a_whole_second_not_before_its_time(
    claims: Claims, claimed: Callable[[], Job], database: Database
) -> None:
    claims.wait(claimed(), 60)
    due = row(database, "SELECT not_before, publish_at, extract(epoch FROM not_before - now()) AS left FROM jobs")
    assert due.not_before.microsecond == 0
    assert due.publish_at == due.not_before
    assert 55 < due.left <= 61


def test_a_job_that_waits_gets_its_attempt_back(claims: Claims, claimed: Callable[[], Job], jobs: JobStore) -> None:
    job = claimed()
    claims.wait(job, 60)
    assert jobs.get(job.id).attempts == 0


@pytest.mark.parametrize("end", ["complete", "fail", "put_back", "cancel", "rescue"])
def test_a_content_is_free_once_its_job_pays_no_longer(
    claims: Claims, claimed: Callable[[], Job], jobs: JobStore, database: Database, end: str
) -> None:
    first = claimed()
    claims.reserve(first, "content", SHA256)
    ends: dict[str, Callable[[], object]] = {
        "complete": lambda: claims.complete(first, an_answer(), None),
        "fail": lambda: claims.fail(first, ProviderUnavailable(), None),
        "put_back": lambda: claims.put_back(first, 60),
        "cancel": lambda: jobs.cancel(first.id),
        "rescue": lambda: lose_lease(database),
    }
    ends[end]()
    claims.reserve(claimed(), "content", SHA256)
    assert rows(database, "SELECT 1 FROM jobs WHERE paying_key = 'content' AND status = 'in_progress'") == [(1,)]


def test_an_uploaded_picture_is_read_as_it_came(jobs: JobStore, claims: Claims, settings: Settings) -> None:
    request = ask_about_picture(settings, png())
    assert claims.read_picture(accepted(jobs, request)) == request.input


def test_a_picture_that_is_gone_is_unreachable(claims: Claims, new_job: Callable[[], Job]) -> None:
    with pytest.raises(ImageUnreachable):
        claims.read_picture(replace(new_job(), picture_sha256="0" * 64))
