"""The table from our error classes to HTTP statuses, and errors as application/problem+json (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from werkzeug.exceptions import HTTPException, MethodNotAllowed

from api.access.errors import InsufficientScope, InvalidKey, KeyRevoked, NotAuthenticated
from api.http.errors import (
    EmbeddingsLost,
    IdempotencyKeyInUse,
    IdempotencyKeyReused,
    JobNotEnded,
    JobNotRetryable,
    ModelNotFound,
    NotReady,
    PreviousResponseNotFound,
)
from api.http.field_errors import pointer_to
from api.http.paths import DOCUMENTATION
from api.http.reply import PROBLEM, Reply, json_bytes
from api.limits.errors import BudgetExhausted, LimitReached, QuotaExceeded
from shared import errors
from shared.errors import AskOnceError, FieldError, InvalidRequest, Unavailable
from shared.jobs.job import ShownJob

STATUS: Mapping[type[AskOnceError], int] = {
    errors.MalformedRequest: 400,
    NotAuthenticated: 401,
    InvalidKey: 401,
    InsufficientScope: 403,
    errors.OriginNotAllowed: 403,
    errors.NotFound: 404,
    ModelNotFound: 404,
    errors.RequestTimedOut: 408,
    errors.JobAlreadyEnded: 409,
    JobNotRetryable: 409,
    KeyRevoked: 409,
    IdempotencyKeyInUse: 409,
    errors.RequestTooLarge: 413,
    errors.MediaTypeNotSupported: 415,
    errors.ContentEncodingNotSupported: 415,
    errors.HostNotAllowed: 421,
    errors.InvalidRequest: 422,
    IdempotencyKeyReused: 422,
    PreviousResponseNotFound: 422,
    errors.TransferEncodingNotSupported: 501,
    errors.Unavailable: 503,
    NotReady: 503,
    errors.Overloaded: 503,
    errors.ServerDown: 503,
    errors.DatabaseUnavailable: 503,
    errors.DatabaseBusy: 503,
    errors.StatementOverdue: 503,
    errors.TransactionConflict: 503,
    errors.DatabaseExhausted: 503,
    errors.TierUnavailable: 503,
    errors.RequestNotRecorded: 503,
    errors.QueueFull: 503,
    JobNotEnded: 503,
    EmbeddingsLost: 503,
    errors.ProviderNotConfigured: 503,
    errors.NotCached: 504,
    LimitReached: 429,
    QuotaExceeded: 429,
    BudgetExhausted: 429,
}

HEADERS: Mapping[type[AskOnceError], Mapping[str, str]] = {
    # RFC 9110, section 15.5.16: it tells this 415 from one for the media type.
    errors.ContentEncodingNotSupported: {"Accept-Encoding": "identity"},
    # RFC 6750, section 3: what was wrong is named only where a key was sent.
    NotAuthenticated: {"WWW-Authenticate": "Bearer"},
    InvalidKey: {"WWW-Authenticate": 'Bearer error="invalid_token"'},
    IdempotencyKeyInUse: {"Retry-After": "1"},
    InsufficientScope: {"WWW-Authenticate": 'Bearer error="insufficient_scope"'},
}
"""What some of our errors say in headers too."""

ERRORS_PAGE = "/docs/errors"
"""Where we serve what is said of each error, wherever AskOnce runs."""

REGISTERED_TYPES: Mapping[str, str] = {
    # draft-ietf-httpapi-ratelimit-headers-11, section 6
    QuotaExceeded.code: "https://iana.org/assignments/http-problem-types#quota-exceeded",
}
"""Problem types that IANA has, by our code."""

FAILED_JOB_STATUS = {
    "provider_timeout": 504,
    "deadline_exceeded": 504,
    "rate_limited": 503,
    "breaker_open": 503,
    "budget_exhausted": 429,
}
FAILED_JOB_DEFAULT_STATUS = 502
RETRY_AFTER_SECONDS = "5"
UNEXPECTED = (
    "Something went wrong on our side; the log has it under this request's X-Request-ID. Send it again; if it fails "
    "again, tell the operator that id."
)
SEE_DOCS = "This can't be served as it was sent. /docs says what each endpoint takes."
FRAMEWORK: Mapping[int, tuple[str, str, str]] = {
    400: (
        "malformed_request",
        "Malformed request",
        "The request is not valid HTTP. /docs says what each endpoint takes.",
    ),
    404: ("not_found", "Not found", f"There is nothing at this path. {DOCUMENTATION}"),
    405: ("method_not_allowed", "Method not allowed", f"This endpoint takes other methods. {DOCUMENTATION}"),
    413: (
        "request_too_large",
        "Request too large",
        "The request is larger than this server accepts. Send a smaller one.",
    ),
    415: ("media_type_not_supported", "Media type not supported", "Send application/json or multipart/form-data."),
    500: ("internal_error", "Internal error", UNEXPECTED),
}
"""Code, title and detail of the framework's errors by status. Its own phrases change with its versions."""


def problem(
    *, status: int, code: str, title: str, detail: str, headers: Mapping[str, str] | None = None, **extra: object
) -> Reply:
    """Return a problem document; `extra` are its extension members. Its header `Link` leads to what is said of it."""
    document = {
        "type": REGISTERED_TYPES.get(code) or help_link(code),
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        **extra,
    }
    retry = {"Retry-After": RETRY_AFTER_SECONDS} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    leads = {"Link": f'<{help_link(code)}>; rel="help"'}
    return Reply(status, json_bytes(document), PROBLEM, {**retry, **leads, **(headers or {})})


def help_link(code: str) -> str:
    """Return the address, on the host that answers, of the paragraph about an error."""
    return f"{ERRORS_PAGE}#{code.replace('_', '-')}"


def error_reply(error: AskOnceError, headers: Mapping[str, str] | None = None) -> Reply:
    """Return the problem document for one of our errors."""
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
    extra: dict[str, Any] = {}
    if isinstance(error, InvalidRequest):
        extra["errors"] = [{"pointer": each.pointer, "detail": each.detail} for each in error.errors]
    if isinstance(error, Unavailable):
        extra["retryable"] = error.retryable
    headers = {**HEADERS.get(type(error), {}), **(headers or {})}
    if isinstance(error, LimitReached):
        extra |= {
            "violated-policies": list(error.policies),
            "retryable": error.worth_another_try,
        }
        headers["Retry-After"] = str(error.retry_after)
    return problem(status=status, code=error.code, title=error.title, detail=error.detail, headers=headers, **extra)


def http_reply(error: HTTPException) -> Reply:
    """Return the problem document for an error of the framework (404, 405, ...); keeps its headers."""
    status = error.code or 500
    messages = (getattr(error, "data", None) or {}).get("messages")
    if messages:
        return error_reply(InvalidRequest(_query_errors(messages)))
    code, title, detail = FRAMEWORK.get(status, ("http_error", "Request not served", SEE_DOCS))
    if isinstance(error, MethodNotAllowed):
        methods = sorted({*(error.valid_methods or ())} - {"HEAD", "OPTIONS"})
        detail = f"This endpoint takes {' or '.join(methods)} only." if methods else detail
    kept = {name: value for name, value in error.get_headers() if name.lower() in {"allow", "retry-after"}}
    return problem(status=status, code=code, title=title, detail=detail, headers=kept)


def _query_errors(messages: Mapping[str, Mapping[str, list[str]]]) -> list[FieldError]:
    """Return the field errors that webargs reports for a query string: {"query": {"limit": ["..."]}}."""
    named = [(name, details) for fields in messages.values() for name, details in fields.items()]
    return [FieldError(pointer_to(name), " ".join(details)) for name, details in named]


def unexpected_reply() -> Reply:
    """Return the problem document for an unexpected error; it does not reveal the cause."""
    return problem(status=500, code="internal_error", title="Internal error", detail=UNEXPECTED)


def failed_job_reply(job: ShownJob, headers: Mapping[str, str]) -> Reply:
    """Return the problem document for a client whose job has failed."""
    failure = job.failure
    if failure is None:
        return unexpected_reply()
    return problem(
        status=FAILED_JOB_STATUS.get(failure.code, FAILED_JOB_DEFAULT_STATUS),
        code=failure.code,
        title=failure.title,
        detail=failure.detail,
        headers=headers,
        job_id=str(job.id),
        retryable=failure.retryable,
    )


def cancelled_job_reply(job: ShownJob, headers: Mapping[str, str]) -> Reply:
    """Return the problem document for a client whose job was cancelled."""
    return problem(
        status=409,
        code="job_cancelled",
        title="Job cancelled",
        detail="The job was cancelled while this request waited for it. Send the request again for a new job.",
        headers=headers,
        job_id=str(job.id),
    )
