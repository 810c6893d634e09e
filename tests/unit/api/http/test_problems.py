import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from examples import JOB_ID, QUEUED
from werkzeug.exceptions import (
    Forbidden,
    HTTPException,
    InternalServerError,
    MethodNotAllowed,
    NotFound,
    TooManyRequests,
)

from api.http.problems import STATUS, cancelled_job_reply, error_reply, failed_job_reply, http_reply, unexpected_reply
from api.http.reply import PROBLEM, Reply
from api.schemas.refusals import Problem
from shared import errors
from shared.jobs.job import JobFailure, JobStatus


def subclasses(base: type[errors.AskOnceError]) -> Iterator[type[errors.AskOnceError]]:
    for found in base.__subclasses__():
        yield found
        yield from subclasses(found)


def body(reply: Reply) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(reply.body)
    return found


def failed(code: str) -> Reply:
    failure = JobFailure(code, "Title", "Detail.", retryable=True)
    return failed_job_reply(replace(QUEUED, status=JobStatus.FAILED, failure=failure), {"Vary": "Prefer"})


@pytest.mark.parametrize("error", [*subclasses(errors.RequestError)])
def test_every_error_of_the_caller_has_its_status(error: type[errors.AskOnceError]) -> None:
    assert 400 <= STATUS[error] < 500 or error in {errors.NotCached, errors.TransferEncodingNotSupported}


@pytest.mark.parametrize("error", [errors.Unavailable, *subclasses(errors.Unavailable)])
def test_everything_unavailable_is_503_with_retry_after(error: type[errors.AskOnceError]) -> None:
    reply = error_reply(error())
    assert (reply.status, "Retry-After" in reply.headers) == (503, True)


def test_an_error_is_a_problem_document() -> None:
    reply = error_reply(errors.NotFound("There is no job."))
    document = {"type": "/docs/errors#not-found", "title": "Not found", "status": 404}
    assert (reply.media_type, body(reply)) == (
        PROBLEM,
        {**document, "detail": "There is no job.", "code": "not_found"},
    )


def test_an_invalid_request_names_every_wrong_field() -> None:
    wrong = [errors.FieldError("/options/top_k", "too many"), errors.FieldError("/input", "is required")]
    reply = error_reply(errors.InvalidRequest(wrong))
    assert (reply.status, body(reply)["errors"]) == (
        422,
        [{"pointer": "/options/top_k", "detail": "too many"}, {"pointer": "/input", "detail": "is required"}],
    )


def test_given_headers_are_kept() -> None:
    assert error_reply(errors.NotCached(), {"Cache-Status": "x"}).headers["Cache-Status"] == "x"


@pytest.mark.parametrize("error", [NotFound(), Forbidden(), InternalServerError(), TooManyRequests()])
def test_an_error_of_the_framework_is_a_problem_document_too(error: HTTPException) -> None:
    reply = http_reply(error)
    assert (reply.status, body(reply)["status"], reply.media_type) == (error.code, error.code, PROBLEM)


def test_a_wrong_method_says_which_are_allowed() -> None:
    assert http_reply(MethodNotAllowed(["GET", "HEAD"])).headers["Allow"] == "GET, HEAD"


def test_an_error_of_the_framework_keeps_retry_after() -> None:
    assert http_reply(TooManyRequests(retry_after=7)).headers["Retry-After"] == "7"


def test_a_wrong_query_is_an_invalid_request() -> None:
    error = HTTPException()
    error.code = 422
    error.data = {"messages": {"query": {"limit": ["Must be a number.", "Really."]}}}  # type: ignore[attr-defined]
    assert body(http_reply(error))["errors"] == [{"pointer": "/limit", "detail": "Must be a number. Really."}]


def test_an_unexpected_error_says_nothing_of_its_cause() -> None:
    reply = unexpected_reply()
    assert (reply.status, body(reply)["code"]) == (500, "internal_error")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("provider_timeout", 504),
        ("deadline_exceeded", 504),
        ("breaker_open", 503),
        ("rate_limited", 503),
        ("bad_answer", 502),
        ("provider_unavailable", 502),
        ("image_forbidden", 502),
        ("a_code_of_the_future", 502),
    ],
)
def test_a_failed_job_has_the_status_of_its_cause(code: str, status: int) -> None:
    assert failed(code).status == status


def test_a_failed_job_is_named_with_its_code() -> None:
    found = body(failed("bad_answer"))
    assert (found["job_id"], found["code"], found["retryable"]) == (str(JOB_ID), "bad_answer", True)


@pytest.mark.parametrize(("code", "given"), [("rate_limited", True), ("bad_answer", False)])
def test_only_what_is_over_soon_has_retry_after(code: str, given: bool) -> None:  # noqa: FBT001  expected
    assert ("Retry-After" in failed(code).headers) is given


def test_a_cancelled_job_is_a_conflict() -> None:
    reply = cancelled_job_reply(replace(QUEUED, status=JobStatus.CANCELLED), {})
    assert (reply.status, body(reply)["job_id"]) == (409, str(JOB_ID))


@pytest.mark.parametrize("reply", [failed("bad_answer"), unexpected_reply(), error_reply(errors.Unavailable())])
def test_a_problem_is_what_its_schema_says(reply: Reply) -> None:
    assert Problem().validate(body(reply)) == {}


def test_whatever_a_client_named_a_field_can_be_answered() -> None:
    reply = error_reply(errors.InvalidRequest([errors.FieldError("/\ud800", "unknown field")]))
    assert reply.status == 422
