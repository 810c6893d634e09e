"""What the OpenAPI document says beyond the schemas: the call of predict, ids in paths, and keys."""

from typing import Any

from apispec import BasePlugin
from flask_smorest import Api
from marshmallow import fields

from api.problem_types import of_access, of_asking, of_requests, of_service
from api.problem_types.of_jobs import OF_JOBS
from api.problem_types.problem_type import ProblemType
from api.schemas.bodies import BODIES
from api.schemas.job_examples import ACCEPTED, HIT, examples_of
from api.schemas.jobs import ASKED
from api.schemas.refusals import refused


def header(name: str, about: str, **schema: str) -> dict[str, Any]:
    """Describe a header that a request may have. `schema`: what its values must be."""
    values = {"type": "string", **schema}
    return {"in": "header", "name": name, "required": False, "schema": values, "description": about}


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

OF_CALLS_THAT_ASK: tuple[ProblemType, ...] = (
    *(of_requests.MALFORMED, of_requests.TIMED_OUT, of_requests.TOO_LARGE, of_requests.MEDIA_TYPE),
    *(of_requests.CONTENT_ENCODING, of_requests.TRANSFER_ENCODING, of_requests.INVALID),
    *(of_access.QUOTA, of_access.BUDGET, of_requests.INTERNAL),
    *(of_asking.NOT_CACHED, of_asking.KEY_REUSED, of_asking.KEY_IN_USE, of_asking.CANCELLED),
    *(of_service.UNAVAILABLE, of_service.OVERLOADED, of_service.QUEUE_FULL, of_service.NOT_CONFIGURED),
    *(of_service.DATABASE, of_service.NOT_RECORDED, *OF_JOBS),
)
"""What every call that asks may be refused with, or its job may end with."""

CACHE_CONTROL = header("Cache-Control", "`no-cache`, `no-store`, `max-age=N`, `only-if-cached` (RFC 9111).")
REQUEST_ID_HEADER = header(
    "X-Request-ID", "Comes back with the response, and is on the record of the call and in the log."
)
IDEMPOTENCY_KEY = header(
    "Idempotency-Key",
    "Calls with the same one within 24 hours are the same call, and get the same job.",
    pattern="^[!-~]{1,255}$",
)
TRACEPARENT = header(
    "traceparent", "The trace that the call belongs to (W3C Trace Context). An invalid one is ignored."
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
        TRACEPARENT,
    ],
    "responses": {
        200: {
            "description": "The answer.",
            "content": {"application/json": {"schema": ASKED, "examples": examples_of(HIT)}},
            "headers": {
                "Cache-Status": CACHE_STATUS,
                "Age": response_header("Of a hit: seconds since its job completed.", "integer", required=False),
            },
            "links": {"job": link("get_job", job_id="/job_id"), "purge": link("purge_by_key", key="/cache/key")},
        },
        202: {
            "description": "A job was accepted, or joined.",
            "content": {"application/json": {"schema": ASKED, "examples": examples_of(ACCEPTED)}},
            "headers": {
                "Cache-Status": CACHE_STATUS,
                "Location": response_header("The job's URL, to poll."),
                "Retry-After": response_header("Seconds to wait before that.", "integer"),
            },
            "links": {"job": link("get_job", job_id="/job_id"), "cancel": link("cancel_job", job_id="/job_id")},
        },
        **refused(*OF_CALLS_THAT_ASK),
    },
}

RETRY_DOC: dict[str, Any] = {
    "operationId": "retry_job",
    "parameters": PREDICT_DOC["parameters"],
    "responses": {
        200: PREDICT_DOC["responses"][200],
        202: PREDICT_DOC["responses"][202],
        **refused(*OF_CALLS_THAT_ASK, of_requests.NOT_FOUND, of_asking.NOT_RETRYABLE),
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


class InOrder(BasePlugin):
    """Lists the responses of each operation by status, without the one that flask-smorest adds to those with a query.

    That has another shape than our errors, and each such operation has one of its own.
    """

    def operation_helper(self, path: Any = None, operations: Any = None, **_: object) -> None:  # noqa: ANN401  apispec's signature
        """Change the operations of a path in place."""
        del path
        for operation in operations.values():
            found = operation["responses"].items()
            ours = [(status, response) for status, response in found if response != _OF_FLASK_SMOREST]
            operation["responses"] = dict(sorted(ours, key=lambda pair: str(pair[0])))


_OF_FLASK_SMOREST = "UNPROCESSABLE_ENTITY"


def portable_pattern(_converter: object, _: object, *, ret: dict[str, Any], **__: object) -> dict[str, Any]:
    """Write the end of a text as ECMA-262 does, which JSON Schema's patterns are of."""
    return {"pattern": ret["pattern"].replace(r"\Z", "$")} if "pattern" in ret else {}


def name_or_null(_converter: object, field: fields.Field[Any], *, ret: dict[str, Any], **_: object) -> dict[str, Any]:
    """Describe a name that may be null as either of them: few tools know null as one of the names."""
    if not field.allow_none or "enum" not in ret:
        return {}
    del ret["type"]
    names = [name for name in ret.pop("enum") if name is not None]
    return {"anyOf": [{"type": "string", "enum": names}, {"type": "null"}]}


def drop_unused(api: Api) -> None:
    """Remove a schema that flask-smorest adds by itself, and nothing refers to."""
    api.spec.components.schemas.pop("PaginationMetadata", None)
