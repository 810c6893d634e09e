from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from redis import Redis

from shared.provider_limits.gate import FAILURES_TO_OPEN, FIRST_PAUSE_SECONDS
from tests.stack import Stack, eventually

MODEL = "openai/gpt-oss-20b"
AT_ONCE = 16
"""Calls that a worker may have in flight when the breaker opens."""


def outcome(stack: Stack, text: str) -> dict[str, Any]:
    accepted = stack.predict({"task_type": "sentiment", "input": text})
    return stack.ended(accepted.json()["job_id"], 60)


@pytest.mark.parametrize("fault", ["server_error", "cut", "reset", "truncated", "empty", "garbage", "html"])
def test_a_passing_fault_costs_an_attempt_and_no_more(stack: Stack, fault: str) -> None:
    stack.fault(fault, count=1)
    job = outcome(stack, f"passing {fault}")
    assert (job["status"], job["attempts"]) == ("completed", 2)


@pytest.mark.parametrize(("retry_after", "attempts"), [("1", 1), ("", 2)])
def test_a_refusal_for_now_costs_an_attempt_only_if_it_does_not_say_how_long(
    stack: Stack, retry_after: str, attempts: int
) -> None:
    stack.fault("rate_limited", count=1, retry_after=retry_after)
    job = outcome(stack, f"refused for now {retry_after}")
    assert (job["status"], job["attempts"], stack.paid()) == ("completed", attempts, 1)


@pytest.mark.parametrize(
    ("fault", "code", "advice"),
    [
        ("unauthorized", "provider_unauthorized", "check GROQ_API_KEY"),
        ("payment_required", "provider_payment_required", "top up the account at Groq"),
        ("not_found", "model_not_available", "set SENTIMENT_MODEL"),
        ("gone", "model_not_available", "set SENTIMENT_MODEL"),
        ("bad_request", "provider_rejected", ""),
    ],
)
def test_a_fault_that_stays_fails_the_job_at_once_and_says_what_to_do(
    stack: Stack, fault: str, code: str, advice: str
) -> None:
    stack.fault(fault, count=1)
    job = outcome(stack, f"staying {fault}")
    assert (job["status"], job["error"]["code"], job["attempts"]) == ("failed", code, 1)
    assert advice in job["error"]["detail"]


def test_attempts_are_bounded(stack: Stack) -> None:
    stack.fault("server_error")
    job = outcome(stack, "always failing")
    assert (job["status"], job["error"]["code"], job["attempts"]) == ("failed", "provider_unavailable", 5)


def test_a_failed_job_is_a_problem_for_who_waited_and_is_never_cached(stack: Stack) -> None:
    stack.fault("unauthorized", count=1)
    body = {"task_type": "sentiment", "input": "failed and not cached"}
    failed = stack.predict(body, headers={"Prefer": "wait=30"})
    again = stack.predict(body, headers={"Prefer": "wait=30"})
    assert (failed.status_code, failed.json()["code"]) == (502, "provider_unauthorized")
    assert again.json()["status"] == "completed"


def asked(stack: Stack) -> int:
    return int(stack.simulator("GET", "calls")["total"])


def pause(stack: Stack) -> float:
    """Return for how many seconds the breaker leaves the provider alone; 0 while it is closed."""
    with Redis.from_url(stack.environment["REDIS_CACHE_URL"]) as redis:
        return float(redis.hget(f"askonce:breaker:simulated:{MODEL}", "pause") or 0) / 1000


def accepted(stack: Stack, text: str) -> str:
    return str(stack.predict({"task_type": "sentiment", "input": text}).json()["job_id"])


def test_jobs_outlast_an_outage_while_few_calls_find_out_whether_it_is_over(stack: Stack) -> None:
    stack.fault("server_error")
    job_ids = [accepted(stack, f"outage {number}") for number in range(30)]
    eventually(lambda: pause(stack) > FIRST_PAUSE_SECONDS)
    job_ids += [accepted(stack, f"late in the outage {number}") for number in range(10)]
    eventually(lambda: pause(stack) > 2 * FIRST_PAUSE_SECONDS)
    calls_of_the_outage = asked(stack)
    stack.simulator("DELETE", "faults")
    ended = [stack.ended(job_id, 60) for job_id in job_ids]
    assert {job["status"] for job in ended} == {"completed"}
    assert calls_of_the_outage <= FAILURES_TO_OPEN + AT_ONCE + 2
    assert stack.paid() == 40


def test_a_refusal_for_longer_makes_all_jobs_wait_with_a_single_call(stack: Stack) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=4), usegmt=True)
    stack.fault("rate_limited", count=1, retry_after=date)
    first = accepted(stack, "refused until a date")
    eventually(lambda: asked(stack) == 1)
    rest = [accepted(stack, f"refused with it {number}") for number in range(10)]
    ended = [stack.ended(job_id) for job_id in [first, *rest]]
    assert {(job["status"], job["attempts"]) for job in ended} == {("completed", 1)}
    assert (asked(stack), stack.paid()) == (12, 11)
