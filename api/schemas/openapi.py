"""What the OpenAPI document says beyond the schemas: the call of predict, ids in paths, and problems."""

from typing import Any

from flask_smorest import Api

from api.http.reply import PROBLEM
from api.schemas.bodies import BODIES
from api.schemas.responses import Job, Problem


def header(name: str, about: str) -> dict[str, Any]:
    """Describe a header that a request may have."""
    return {"in": "header", "name": name, "required": False, "schema": {"type": "string"}, "description": about}


def id_in_path(name: str) -> dict[str, Any]:
    """Describe an id in a path."""
    return {"in": "path", "name": name, "schema": {"type": "string", "format": "uuid"}}


def link(operation_id: str, **parameters: str) -> dict[str, Any]:
    """Describe a call that a response leads to. `parameters`: where each is found in the response's body."""
    found = {name: f"$response.body#{pointer}" for name, pointer in parameters.items()}
    return {"operationId": operation_id, "parameters": found}


def response_header(about: str, kind: str = "string", *, required: bool = True) -> dict[str, Any]:
    """Describe a header of a response."""
    return {"description": about, "required": required, "schema": {"type": kind}}


CACHE_STATUS = response_header("What each tier did (RFC 9211); the one closest to the provider comes first.")
_PROBLEMS = dict.fromkeys(("400", "409", "413", "415", "422", "502", "503", "504"), "Problem")

CACHE_CONTROL = header("Cache-Control", "`no-cache`, `no-store`, `max-age=N`, `only-if-cached` (RFC 9111).")
REQUEST_ID_HEADER = header(
    "X-Request-ID", "Comes back with the response, and is on the record of the call and in the log."
)
IDEMPOTENCY_KEY = header(
    "Idempotency-Key", "Calls with the same one within 24 hours are the same call, and get the same job."
)
PREFER = header(
    "Prefer", "`wait=N`: hold up to N seconds, at most 60, for the end of the job (RFC 7240). `wait` alone is 20."
)
PREDICT_DOC: dict[str, Any] = {
    "operationId": "predict",
    "requestBody": {"required": True, "content": BODIES},
    "parameters": [
        CACHE_CONTROL,
        IDEMPOTENCY_KEY,
        PREFER,
        REQUEST_ID_HEADER,
    ],
    "responses": {
        "200": {
            "description": "The answer.",
            "content": {"application/json": {"schema": Job()}},
            "headers": {
                "Cache-Status": CACHE_STATUS,
                "Age": response_header("Of a hit: seconds since its job completed.", "integer", required=False),
            },
            "links": {"job": link("get_job", job_id="/job_id"), "purge": link("purge_by_key", key="/cache/key")},
        },
        "202": {
            "description": "A job was accepted, or joined.",
            "content": {"application/json": {"schema": Job()}},
            "headers": {
                "Cache-Status": CACHE_STATUS,
                "Location": response_header("The job's URL, to poll."),
                "Retry-After": response_header("Seconds to wait before that.", "integer"),
            },
            "links": {"job": link("get_job", job_id="/job_id"), "cancel": link("cancel_job", job_id="/job_id")},
        },
        **_PROBLEMS,
    },
}


SECURITY: list[dict[str, list[str]]] = [{"bearer": []}, {"api_key": []}]
"""What an operation asks for: one of these."""

PUBLIC: dict[str, Any] = {"security": []}
"""Documents an operation that asks for no key."""


def describe_keys(api: Api) -> None:
    """Add how a key is sent."""
    scheme = api.spec.components.security_scheme
    scheme("bearer", {"type": "http", "scheme": "bearer", "description": "A key of AskOnce: `ak_...`"})
    scheme("api_key", {"type": "apiKey", "in": "header", "name": "X-API-Key"})


def describe_problems(api: Api) -> None:
    """Add the response that every error has."""
    api.spec.components.response(
        "Problem", {"description": "An error (RFC 9457).", "content": {PROBLEM: {"schema": Problem()}}}
    )
