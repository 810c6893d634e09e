"""Every call to a provider is on record, with what it cost."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from shared.db.engine import Database
from shared.domain.answer import Usage
from shared.domain.prices import Price, Prices
from shared.domain.routes import Route
from shared.jobs.errors import ProviderUnavailable
from shared.jobs.job import Job
from tests.integration.asking import an_answer, row, rows, write
from tests.integration.claiming import a_call, claimed_long_ago, lose_lease
from workers.jobs.claims import Claims
from workers.jobs.outage_retry import OutageRetry
from workers.maintenance.sweeps import Sweeps

LEASE_SECONDS = 30
REPUBLISH_SECONDS = 15


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


def test_a_failed_call_is_on_record(claims: Claims, claimed: Callable[[], Job], database: Database) -> None:
    job = claimed()
    claims.fail(job, ProviderUnavailable(), a_call(claims, job, "provider_unavailable"))
    call = row(database, "SELECT outcome, error_code FROM provider_calls")
    assert tuple(call) == ("failed", "provider_unavailable")


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
    claims.begin_call(job, job.route)
    call = row(database, "SELECT * FROM provider_calls")
    assert (call.job_id, call.attempt, call.outcome, call.ended_at) == (job.id, 1, "started", None)


def test_a_worker_that_lost_its_claim_may_not_call(
    claims: Claims, claimed: Callable[[], Job], database: Database
) -> None:
    late = claimed_long_ago(claimed(), database)
    lose_lease(database)
    assert claims.begin_call(late, late.route) is None
    assert rows(database, "SELECT 1 FROM provider_calls") == []


def test_the_call_that_begins_with_its_claim_is_on_record_once_however_long_that_takes(
    claims: Claims, claimed: Callable[[], Job], database: Database
) -> None:
    job = claimed()
    assert rows(database, "SELECT id, outcome FROM provider_calls") == [(job.begun_call, "started")]
    late = claimed_long_ago(job, database)
    assert claims.begin_call(late, late.route) == late.begun_call
    assert [each.id for each in rows(database, "SELECT id FROM provider_calls")] == [late.begun_call]


def test_a_call_to_a_fallback_does_not_begin_with_the_claim(
    claims: Claims, claimed: Callable[[], Job], database: Database
) -> None:
    job = claimed()
    other = Route("simulated", "another")
    write(database, """UPDATE jobs SET fallbacks = '[{"provider": "simulated", "model": "another"}]'""")
    begun = claims.begin_call(job, other)
    assert begun not in {None, job.begun_call}
    assert rows(database, "SELECT id FROM provider_calls WHERE model = 'another'") == [(begun,)]


def test_a_job_that_budgets_pay_begins_no_call_with_its_claim(
    claims: Claims, new_job: Callable[[], Job], database: Database
) -> None:
    job_id = new_job().id
    write(database, "UPDATE jobs SET budgeted = true")
    job = claims.claim(job_id)
    assert job is not None
    assert job.begun_call is None
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
    claims.requeue(job, 0, replace(a_call(claims, job, code), usage=Usage()), counted=True)
    assert row(database, "SELECT cost FROM provider_calls").cost == cost


def test_what_a_failed_call_without_counts_costs_is_not_known_even_where_a_call_has_a_price(
    database: Database, new_job: Callable[[], Job]
) -> None:
    job = new_job()
    claims = Claims(database, LEASE_SECONDS, Prices({job.model: Price(call=Decimal("0.1"))}), OutageRetry(0))
    claimed = claims.claim(job.id)
    assert claimed is not None
    claims.requeue(claimed, 0, replace(a_call(claims, claimed, "provider_timeout"), usage=Usage()), counted=True)
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
    claims.begin_call(job, job.route)
    answer = an_answer(job_id=job.id)
    lose_lease(database)
    again = claims.claim(job.id)
    assert again is not None
    claims.complete(again, answer, None)
    call = row(database, "SELECT * FROM provider_calls WHERE attempt = 1")
    assert (call.outcome, call.ended_at, call.total_tokens) == ("completed", answer.completed_at, 5)


def test_a_call_whose_worker_died_is_ended_when_no_end_can_come(
    claims: Claims, claimed: Callable[[], Job], database: Database
) -> None:
    job = claimed()
    claims.begin_call(job, job.route)
    sweeps = Sweeps(database, REPUBLISH_SECONDS)
    assert (sum(sweeps.close_lost_calls(60, 600)), sum(sweeps.close_lost_calls(0, 600))) == (0, 1)
    call = row(database, "SELECT * FROM provider_calls")
    assert (call.outcome, call.error_code, call.cost) == ("failed", "worker_lost", None)


def test_a_call_that_may_be_a_long_stream_is_not_taken_for_lost_as_early(
    claims: Claims, claimed: Callable[[], Job], database: Database
) -> None:
    job = claimed()
    claims.begin_call(job, job.route)
    write(database, "UPDATE jobs SET streams = true")
    sweeps = Sweeps(database, REPUBLISH_SECONDS)
    assert (sum(sweeps.close_lost_calls(0, 600)), sum(sweeps.close_lost_calls(0, 0))) == (0, 1)
