import pytest

from tests.stack import Stack


def outcome(stack: Stack, text: str) -> dict[str, object]:
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
    ("fault", "code"),
    [
        ("unauthorized", "provider_unauthorized"),
        ("payment_required", "provider_payment_required"),
        ("not_found", "model_not_available"),
        ("gone", "model_not_available"),
        ("bad_request", "provider_rejected"),
    ],
)
def test_a_fault_that_stays_fails_the_job_at_once(stack: Stack, fault: str, code: str) -> None:
    stack.fault(fault, count=1)
    job = outcome(stack, f"staying {fault}")
    assert (job["status"], job["error"]["code"], job["attempts"]) == ("failed", code, 1)


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
