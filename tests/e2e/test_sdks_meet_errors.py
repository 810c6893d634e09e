"""What clients of `/v1` do with the SDKs of OpenAI and Groq when something goes wrong: which error, how many calls."""

import asyncio
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from tests.e2e.sdks import MODEL, Sdk, a_question
from tests.stack import Stack, eventually

ATTEMPTS = 5
"""The setting MAX_ATTEMPTS, unless it is set."""

Question = dict[str, Any]
LARGE = [{"role": "user", "content": "a" * 1_000_000}]


def named(question: Question) -> tuple[Question, str]:
    """Return the question with an X-Request-ID for all its calls."""
    request_id = uuid.uuid4().hex
    return {**question, "extra_headers": {"X-Request-ID": request_id}}, request_id


def on_record(stack: Stack, request_id: str) -> list[tuple[str, int]]:
    """Return outcome and status of the calls with this X-Request-ID that have been answered until now."""
    later = uuid.uuid4().hex
    requests.post(stack.url("/v1/chat/completions"), json={}, headers={"X-Request-ID": later}, timeout=10)
    # Records are written in the order of the responses.
    eventually(lambda: recorded(stack, later))
    return recorded(stack, request_id)


def recorded(stack: Stack, request_id: str) -> list[tuple[str, int]]:
    found = stack.sql(f"SELECT outcome, status FROM requests WHERE request_id = '{request_id}' ORDER BY id")  # noqa: S608
    return [(outcome, status) for outcome, status in found]


@contextmanager
def asked_by_each(sdks: list[Sdk], questions: list[Question], **options: Any) -> Iterator[list["Future[Any]"]]:
    """Let each SDK ask its question, all at once."""
    with ThreadPoolExecutor(len(sdks)) as pool:
        yield [pool.submit(sdk.ask, question, **options) for sdk, question in zip(sdks, questions, strict=True)]


def said(error: Any) -> tuple[str, int, str]:
    """Return class, status and code of an error."""
    return type(error).__name__, error.status_code, error.response.json()["error"]["code"]


@pytest.mark.parametrize(
    ("wrong", "expected", "param"),
    [
        ({"messages": []}, ("BadRequestError", 400, "invalid_request"), "messages"),
        ({"messages": [{"content": "a"}]}, ("BadRequestError", 400, "invalid_request"), "messages[0]"),
        ({"temperature": 9}, ("BadRequestError", 400, "provider_rejected"), None),
        ({"model": "nobody/nothing"}, ("NotFoundError", 404, "model_not_found"), None),
        ({"messages": LARGE}, ("BadRequestError", 400, "invalid_request"), "messages"),
        ({"extra_body": {"many": [0] * 100_000}}, ("APIStatusError", 413, "request_too_large"), None),
    ],
    ids=["no message", "no role", "temperature", "model", "long", "many values"],
)
def test_a_wrong_request_is_refused_at_once(
    sdks: list[Sdk], wrong: Question, expected: tuple[str, int, str], param: str | None
) -> None:
    for sdk in sdks:
        error: Any = sdk.refused(a_question(**wrong), max_retries=2)
        assert said(error) == expected
        assert error.response.json()["error"]["param"] == param


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("not_found", ("NotFoundError", 404, "model_not_found")),
        ("bad_request", ("BadRequestError", 400, "provider_rejected")),
        ("unauthorized", ("InternalServerError", 502, "provider_unauthorized")),
    ],
)
def test_what_another_try_cannot_help_is_not_repeated(
    stack: Stack, sdks: list[Sdk], fault: str, expected: tuple[str, int, str]
) -> None:
    stack.fault(fault)
    question, request_id = named(a_question())
    for sdk in sdks:
        assert said(sdk.refused(question, max_retries=2)) == expected
    assert on_record(stack, request_id) == [("miss", expected[1])] * len(sdks)


def test_an_answer_that_only_a_tier_may_give_is_not_asked_for_again(sdks: list[Sdk], stack: Stack) -> None:
    question, request_id = named(a_question())
    question["extra_headers"]["Cache-Control"] = "only-if-cached"
    for sdk in sdks:
        assert said(sdk.refused(question, max_retries=2)) == ("InternalServerError", 504, "not_cached")
    assert on_record(stack, request_id) == [("miss", 504)] * len(sdks)


def test_it_is_repeated_as_late_as_it_says(stack: Stack, sdks: list[Sdk], monkeypatch: pytest.MonkeyPatch) -> None:
    named_questions = [named(a_question()) for _ in sdks]
    questions = [question for question, _ in named_questions]
    for question in questions:
        text = question["messages"][0]["content"]
        stack.fault("rate_limited", retry_after="", count=ATTEMPTS, match=text)
    pauses: list[float] = []

    async def asleep(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr("anyio.sleep", asleep)
    monkeypatch.setattr(time, "sleep", pauses.append)
    with asked_by_each(sdks, questions, max_retries=1) as asked:
        answers = [each.result(60) for each in asked]
    monkeypatch.undo()
    assert pauses == [5.0] * len(sdks)
    assert [answer.choices[0].finish_reason for answer in answers] == ["stop"] * len(sdks)
    for _, request_id in named_questions:
        assert on_record(stack, request_id) == [("miss", 429), ("miss", 200)]


def test_a_cancelled_job_is_a_conflict_that_is_not_repeated(stack: Stack, sdks: list[Sdk]) -> None:
    stack.fault("hang")
    with asked_by_each(sdks, [a_question() for _ in sdks], max_retries=2) as asked:
        stack.wait_for_calls_in_flight(len(sdks))
        stack.cancel_live_jobs()
        errors = [each.exception(60) for each in asked]
    assert [said(error) for error in errors] == [("ConflictError", 409, "job_cancelled")] * len(sdks)
    assert stack.simulator("GET", "calls")["total"] == len(sdks)


def test_a_client_that_has_given_up_finds_the_answer_later(stack: Stack, sdk: Sdk) -> None:
    stack.fault("hang", count=1)
    question = a_question()
    assert type(sdk.refused(question, timeout=0.3)).__name__ == "APITimeoutError"
    stack.simulator("DELETE", "faults")
    assert sdk.ask(question).choices[0].finish_reason == "stop"
    assert stack.paid() == 1


def test_a_call_that_is_repeated_after_a_timeout_joins_the_job_of_the_first_and_is_paid_once(
    stack: Stack, sdks: list[Sdk]
) -> None:
    stack.fault("hang")
    named_questions = [named(a_question()) for _ in sdks]
    with asked_by_each(sdks, [question for question, _ in named_questions], timeout=0.5, max_retries=50) as asked:
        # The first call of each has been given up, and then another one.
        eventually(lambda: all(len(recorded(stack, request_id)) > 1 for _, request_id in named_questions))
        stack.simulator("DELETE", "faults")
        answers = [each.result(60) for each in asked]
    assert [answer.model for answer in answers] == [MODEL.removeprefix("groq/")] * len(sdks)
    assert stack.paid() == len(sdks)
    for _, request_id in named_questions:
        outcomes = [outcome for outcome, _ in on_record(stack, request_id)]
        assert (outcomes[0], set(outcomes[1:]) <= {"joined", "memcached", "redis"}) == ("miss", True)
