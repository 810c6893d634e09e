"""Errors in OpenAI's shape: the status that an SDK chooses its exception by, and whether it tries again."""

import json
from typing import Any
from uuid import uuid4

import pytest
from examples import ANSWER

from api.access.errors import InsufficientScope, InvalidKey, NotAuthenticated
from api.http.errors import JobNotEnded, ModelNotFound
from api.http.openai_errors import for_path, in_openai_shape
from api.http.problems import error_reply, failed_job_reply, unexpected_reply
from api.http.reply import PROBLEM, Reply, json_reply
from shared.domain.answer import Usage
from shared.errors import AskOnceError, FieldError, InvalidRequest, NotCached, Overloaded, QueueFull, RequestTooLarge
from shared.jobs.job import JobFailure, JobStatus, ShownJob

RETRY = "x-should-retry"


def error_of(reply: Reply) -> dict[str, Any]:
    assert reply.media_type == "application/json"
    error: dict[str, Any] = json.loads(reply.body)["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    return error


def failed(code: str, *, retryable: bool = False) -> Reply:
    job = ShownJob(
        id=uuid4(),
        task_type="chat_completion",
        provider="groq",
        model="a-model",
        cache_key="0" * 64,
        status=JobStatus.FAILED,
        result=None,
        stale=False,
        failure=JobFailure(code, "Title", "Detail.", retryable),
        usage=Usage(),
        attempts=1,
        created_at=ANSWER.created_at,
        started_at=None,
        completed_at=ANSWER.completed_at,
    )
    return in_openai_shape(failed_job_reply(job, {}))


@pytest.mark.parametrize(
    ("error", "status", "kind", "code"),
    [
        (InvalidRequest([FieldError("", "must be an object")]), 400, "invalid_request_error", "invalid_request"),
        (NotAuthenticated(), 401, "invalid_request_error", "invalid_api_key"),
        (InvalidKey(), 401, "invalid_request_error", "invalid_api_key"),
        (InsufficientScope(), 403, "invalid_request_error", "insufficient_scope"),
        (ModelNotFound("a", ["b"]), 404, "invalid_request_error", "model_not_found"),
        (RequestTooLarge(), 413, "invalid_request_error", "request_too_large"),
        (Overloaded(), 503, "server_error", "overloaded"),
        (QueueFull(), 503, "server_error", "queue_full"),
        (JobNotEnded(), 503, "server_error", "job_not_ended"),
        (NotCached(), 504, "server_error", "not_cached"),
    ],
    ids=lambda value: getattr(value, "code", value),
)
def test_an_error_has_the_status_type_and_code_that_clients_know(
    error: AskOnceError, status: int, kind: str, code: str
) -> None:
    reply = in_openai_shape(error_reply(error))
    found = error_of(reply)
    assert (reply.status, found["type"], found["code"]) == (status, kind, code)


@pytest.mark.parametrize(
    ("code", "status", "shown"),
    [
        ("provider_rejected", 400, "provider_rejected"),
        ("model_not_available", 404, "model_not_found"),
        ("rate_limited", 429, "rate_limit_exceeded"),
        ("budget_exhausted", 429, "insufficient_quota"),
        ("provider_unauthorized", 502, "provider_unauthorized"),
        ("bad_answer", 502, "bad_answer"),
        ("breaker_open", 503, "breaker_open"),
        ("provider_timeout", 504, "provider_timeout"),
    ],
)
def test_a_failed_job_is_an_error_with_its_id(code: str, status: int, shown: str) -> None:
    reply = failed(code)
    assert (reply.status, error_of(reply)["code"]) == (status, shown)
    assert reply.headers["X-AskOnce-Job"]


@pytest.mark.parametrize(
    ("pointer", "param"), [("/model", "model"), ("/messages/0/role", "messages[0].role"), ("", None)]
)
def test_the_wrong_field_is_named_as_openai_does(pointer: str, param: str | None) -> None:
    reply = in_openai_shape(error_reply(InvalidRequest([FieldError(pointer, "is wrong")])))
    assert error_of(reply)["param"] == param


def test_what_can_only_fail_again_is_not_to_be_repeated() -> None:
    assert failed("provider_unauthorized").headers[RETRY] == "false"
    assert failed("budget_exhausted").headers[RETRY] == "false"
    assert in_openai_shape(error_reply(NotCached())).headers[RETRY] == "false"
    assert RETRY not in failed("provider_timeout", retryable=True).headers
    assert RETRY not in failed("provider_rejected").headers
    assert RETRY not in in_openai_shape(error_reply(Overloaded())).headers


def test_the_nearest_models_are_named() -> None:
    said = error_of(in_openai_shape(error_reply(ModelNotFound("gpt-oss-20", ["groq/openai/gpt-oss-20b", "other"]))))
    assert "Did you mean groq/openai/gpt-oss-20b?" in said["message"]


def test_when_to_come_back_is_said_as_ever() -> None:
    assert in_openai_shape(error_reply(Overloaded())).headers["Retry-After"]


def test_an_unexpected_error_has_the_shape_too() -> None:
    assert error_of(in_openai_shape(unexpected_reply()))["type"] == "server_error"


@pytest.mark.parametrize("path", ["/v1/anything", "/openai/v1/chat/completions"])
def test_only_errors_of_compatible_paths_have_the_shape(path: str) -> None:
    problem = error_reply(Overloaded())
    assert error_of(for_path(path, problem))
    assert for_path("/api/v1/predict", problem).media_type == PROBLEM
    answer = json_reply({"a": 1})
    assert for_path(path, answer) is answer
