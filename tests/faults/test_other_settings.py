"""Faults on a stack of its own: its answers are soon stale, its summaries have a second model, its attempts are few."""

import signal
import uuid
from collections.abc import Iterator
from functools import partial

import pytest

from shared.provider_limits.gate import FAILURES_TO_OPEN
from tests.integration.api_client import data_url
from tests.integration.asking import png
from tests.stack import Stack, eventually, start_stack, stop_stack

FIRST, SECOND = "openai/gpt-oss-20b", "openai/gpt-oss-120b"
PICTURES_A_MINUTE = 3
MAX_ATTEMPTS = 3
OTHER_SETTINGS = {
    "MAX_ATTEMPTS": str(MAX_ATTEMPTS),
    "L1_TTL_SECONDS": "1",
    "L2_TTL_SECONDS": "2",
    "SUMMARIZATION_FALLBACK_MODEL": SECOND,
    "HF_REQUESTS_PER_MINUTE": str(PICTURES_A_MINUTE),
}
CACHED_ONLY = {"Cache-Control": "only-if-cached"}


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = start_stack(tmp_path_factory.mktemp("own_stack"), OTHER_SETTINGS)
    yield stack
    stop_stack(stack)


@pytest.fixture
def stack(own_stack: Stack) -> Stack:
    own_stack.calm()
    # A job that another test left waiting would be called, and take a fault that is meant for this one.
    own_stack.cancel_live_jobs()
    return own_stack


def sentiment(text: str) -> dict[str, str]:
    return {"task_type": "sentiment", "input": text}


def open_breaker(stack: Stack) -> list[str]:
    """Let calls of the first model fail until it is left alone; return the jobs that wait for it then."""
    stack.fault("server_error", model=FIRST)
    texts = [f"waits {uuid.uuid4()}" for _ in range(FAILURES_TO_OPEN)]
    job_ids = [stack.predict(sentiment(text)).json()["job_id"] for text in texts]
    eventually(lambda: stack.simulator("GET", "calls")["total"] >= FAILURES_TO_OPEN)
    return job_ids


def test_old_answers_are_served_while_the_provider_is_away_and_new_ones_when_it_is_back(stack: Stack) -> None:
    body = sentiment("an answer that grows old")
    assert stack.predict(body, headers={"Prefer": "wait=30"}).json()["status"] == "completed"
    eventually(lambda: stack.predict(body, headers=CACHED_ONLY).status_code == 504)
    waiting = open_breaker(stack)
    stale = eventually(lambda: stack.predict(body, headers=CACHED_ONLY))
    assert (stale.status_code, stale.json()["cache"]["stale"], stack.paid()) == (200, True, 1)
    stack.simulator("DELETE", "faults")
    eventually(lambda: stack.predict(body).json()["cache"]["ttl"] in {0, 1, 2})
    assert {stack.ended(job_id)["status"] for job_id in waiting} == {"completed"}


def test_a_second_model_answers_in_place_of_one_that_is_gone(stack: Stack) -> None:
    stack.fault("gone", model=FIRST)
    body = {"task_type": "summarization", "input": "The first model is gone. The second one is not."}
    answered = stack.predict(body, headers={"Prefer": "wait=30"}).json()
    hit = stack.predict(body).json()
    assert [(each["status"], each["model"]) for each in (answered, hit)] == [("completed", SECOND)] * 2
    assert stack.paid() == 1


def test_a_second_model_answers_while_the_first_is_left_alone(stack: Stack) -> None:
    open_breaker(stack)
    body = {"task_type": "summarization", "input": "The first model is out of order. The second one is not."}
    answered = stack.predict(body, headers={"Prefer": "wait=30"}).json()
    assert (answered["status"], answered["model"], stack.paid()) == ("completed", SECOND, 1)


def test_what_is_over_the_limit_of_a_minute_waits_without_an_attempt(stack: Stack) -> None:
    bodies = [{"task_type": "image_classification", "input": data_url(png())} for _ in range(2 * PICTURES_A_MINUTE)]
    job_ids = [stack.predict(body).json()["job_id"] for body in bodies]
    wanted = [("completed", 1)] * PICTURES_A_MINUTE + [("queued", 0)] * PICTURES_A_MINUTE
    eventually(lambda: sorted((stack.job(each)["status"], stack.job(each)["attempts"]) for each in job_ids) == wanted)
    assert stack.sql("SELECT count(*) FROM jobs WHERE not_before > now() + interval '50 seconds'") == [(3,)]
    # Text jobs of other tests may still be paid for.
    assert stack.simulator("GET", "calls")["by_provider"]["huggingface"] == PICTURES_A_MINUTE


def test_a_job_that_kills_its_worker_fails_after_bounded_attempts_and_blocks_nothing(stack: Stack) -> None:
    stack.fault("hang", count=MAX_ATTEMPTS)
    poison = stack.predict(sentiment("poison")).json()["job_id"]
    for attempt in range(1, MAX_ATTEMPTS + 1):
        eventually(partial(_runs, stack, poison, attempt))
        worker = stack.pid("worker-text")
        stack.signal("worker-text", signal.SIGKILL)
        stack.runs_anew("worker-text", worker)
    job = stack.ended(poison, 60)
    assert (job["status"], job["attempts"], job["error"]["code"]) == ("failed", MAX_ATTEMPTS, "attempts_exhausted")
    other = stack.predict(sentiment("harmless"), headers={"Prefer": "wait=30"})
    assert other.json()["status"] == "completed"


def _runs(stack: Stack, job_id: str, attempt: int) -> bool:
    return bool(stack.simulator("GET", "calls")["in_flight"]) and stack.job(job_id)["attempts"] == attempt
