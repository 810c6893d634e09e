"""What a worker counts of attempts and calls."""

from dataclasses import replace
from decimal import Decimal

import pytest
from examples import JOB_ID, NOON, QUEUED
from prometheus_client import CollectorRegistry
from prometheus_client.registry import Collector

from shared.domain.answer import Usage
from shared.domain.prices import Price, Prices
from shared.jobs.job import Job
from shared.times import now
from workers.jobs.attempt import COMPLETED, LOST, AttemptEnd, Ended
from workers.jobs.provider_calls import ProviderCall
from workers.metrics.calls import CallCounts
from workers.metrics.jobs import JobCounts
from workers.metrics.maintenance import MaintenanceCounts

MODEL = "openai/gpt-oss-20b"
UNPRICED = "openai/gpt-oss-safeguard-20b"
CALL = ProviderCall(JOB_ID, "groq", MODEL, NOON, None, Usage(1_000_000, 500_000, 1_500_000, 0))


def value(collector: Collector, name: str, **labels: str) -> float | None:
    registry = CollectorRegistry()
    registry.register(collector)
    return registry.get_sample_value(name, labels)


@pytest.fixture
def job() -> Job:
    return replace(QUEUED, created_at=now())


@pytest.fixture
def calls() -> CallCounts:
    return CallCounts(Prices({MODEL: Price(Decimal("0.5"), Decimal(2))}), [("groq", MODEL), ("groq", UNPRICED)])


def attempts(counts: JobCounts, end: str, code: str = "") -> float | None:
    return value(counts, "askonce_job_attempts_total", task_type="summarization", end=end, code=code)


def jobs(counts: JobCounts, status: str, code: str = "", task_type: str = "summarization") -> float | None:
    return value(counts, "askonce_jobs_ended_total", task_type=task_type, status=status, code=code)


def test_the_attempt_that_answers_ends_its_job(job: Job) -> None:
    counts = JobCounts()
    counts.attempt_ended(job, COMPLETED)
    assert (attempts(counts, "completed"), jobs(counts, "completed")) == (1, 1)
    assert value(counts, "askonce_job_duration_seconds_count", task_type="summarization") == 1


def test_the_attempt_that_fails_for_good_ends_its_job(job: Job) -> None:
    counts = JobCounts()
    counts.attempt_ended(job, AttemptEnd(Ended.FAILED, "bad_answer"))
    assert (attempts(counts, "failed", "bad_answer"), jobs(counts, "failed", "bad_answer")) == (1, 1)


@pytest.mark.parametrize("end", [AttemptEnd(Ended.LATER, "rate_limited"), LOST])
def test_other_attempts_end_no_job(job: Job, end: AttemptEnd) -> None:
    counts = JobCounts()
    counts.attempt_ended(job, end)
    assert attempts(counts, end.ended.value, end.code or "") == 1
    assert value(counts, "askonce_job_duration_seconds_count", task_type="summarization") is None


def test_jobs_that_no_worker_has_ended_count_too() -> None:
    counts = JobCounts()
    counts.failed_without_attempt("deadline_exceeded", 3)
    assert jobs(counts, "failed", "deadline_exceeded", task_type="") == 3


def test_a_call_counts_with_its_time_tokens_and_price(calls: CallCounts) -> None:
    calls.ended(CALL, 0.7)
    of_model = {"provider": "groq", "model": MODEL}
    assert value(calls, "askonce_provider_calls_total", outcome="answered", **of_model) == 1
    assert value(calls, "askonce_provider_call_seconds_sum", **of_model) == 0.7
    assert value(calls, "askonce_provider_tokens_total", kind="prompt", **of_model) == 1_000_000
    assert value(calls, "askonce_provider_tokens_total", kind="completion", **of_model) == 500_000
    assert value(calls, "askonce_provider_cost_dollars_total", **of_model) == 1.5
    assert value(calls, "askonce_provider_unpriced_calls_total", **of_model) is None


def test_a_call_that_failed_counts_by_its_code(calls: CallCounts) -> None:
    calls.ended(replace(CALL, error_code="provider_timeout", usage=Usage()), 60.0)
    of_model = {"provider": "groq", "model": MODEL}
    assert value(calls, "askonce_provider_calls_total", outcome="provider_timeout", **of_model) == 1
    assert value(calls, "askonce_provider_unpriced_calls_total", **of_model) == 1


@pytest.mark.parametrize("outcome", ["answered", "provider_unauthorized", "provider_payment_required"])
def test_what_an_alert_looks_for_counts_from_0_so_that_its_first_one_is_growth(calls: CallCounts, outcome: str) -> None:
    assert value(calls, "askonce_provider_calls_total", provider="groq", model=MODEL, outcome=outcome) == 0


def test_dollars_count_from_0_where_a_model_has_a_price(calls: CallCounts) -> None:
    assert value(calls, "askonce_provider_cost_dollars_total", provider="groq", model=MODEL) == 0
    assert value(calls, "askonce_provider_cost_dollars_total", provider="groq", model=UNPRICED) is None


def test_a_round_counts_its_rows_and_what_failed() -> None:
    counts = MaintenanceCounts()
    counts.round("prune", {"jobs": 7}, ["pictures"])
    counts.round("prune", {}, [])
    assert value(counts, "askonce_maintenance_rounds_total", task="prune") == 2
    assert value(counts, "askonce_maintenance_rows_total", task="prune", sweep="jobs") == 7
    assert value(counts, "askonce_maintenance_failures_total", task="prune", sweep="pictures") == 1
