"""What the OpenAPI document says of `explain`."""

from typing import Any

from marshmallow import Schema, fields

from api.http.reply import JSON
from api.problem_types.of_access import QUOTA
from api.problem_types.of_asking import MODEL, PREVIOUS
from api.problem_types.of_requests import (
    CONTENT_ENCODING,
    INVALID,
    MALFORMED,
    MEDIA_TYPE,
    TOO_LARGE,
    TRANSFER_ENCODING,
)
from api.problem_types.of_service import DATABASE
from api.problem_types.problem_type import ProblemType
from api.schemas.bodies import BODIES
from api.schemas.completions import COMPLETION_DOC
from api.schemas.embeddings import EMBEDDINGS_DOC
from api.schemas.jobs import JOB
from api.schemas.openapi import CACHE_CONTROL
from api.schemas.queries import one_of
from api.schemas.refusals import refused
from api.schemas.response_objects import CREATE_DOC
from api.schemas.responses import PROVIDER_NAME
from api.statistics.report import OUTCOMES


class Holding(Schema):
    """What one tier holds; null where it holds no answer."""

    tier = one_of(["memcached", "redis"], required=True)
    rule = fields.String(
        required=True,
        metadata={"description": "`fresh` if the request gets it, else why not. docs/explain.md lists all."},
    )
    age = fields.Integer(required=True, allow_none=True, metadata={"description": "Seconds since it was made."})
    ttl = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Seconds for which it is fresh; below 0 if past it."}
    )
    job_id = fields.UUID(required=True, allow_none=True)
    provider = fields.String(required=True, allow_none=True, metadata={"description": PROVIDER_NAME})
    model = fields.String(required=True, allow_none=True)
    by_fallback = fields.Boolean(required=True, allow_none=True)


class PartDifference(Schema):
    """Where two requests differ. A value that is missing has no member."""

    part = fields.String(required=True, metadata={"description": "RFC 6901 pointer."})
    here = fields.Raw(allow_none=True, metadata={"description": "In this request."})
    there = fields.Raw(allow_none=True, metadata={"description": "In the other one."})
    at = fields.Integer(metadata={"description": "Of two texts: the first character that differs."})


class RecordUrls(Schema):
    """Where the record is."""

    self_ = fields.String(required=True, data_key="self")


class NearRequest(Schema):
    """The last request on record that was nearly the same."""

    key = fields.String(required=True)
    at = fields.AwareDateTime(required=True)
    outcome = one_of(list(OUTCOMES), required=True)
    differences = fields.List(fields.Nested(PartDifference()), required=True)
    urls = fields.Nested(RecordUrls(), required=True)


class Explanation(Schema):
    """What a request's key is made of, what is known of it, and what asking it would come to."""

    key = fields.String(required=True, metadata={"description": "The sha256 of `parts` as canonical JSON."})
    parts = fields.Dict(required=True)
    outcome = one_of(list(OUTCOMES), required=True)
    rule = fields.String(required=True, metadata={"description": "What decides. docs/explain.md lists all."})
    detail = fields.String(required=True)
    tiers = fields.List(fields.Nested(Holding()), required=True)
    job = fields.Raw(
        required=True,
        metadata={"anyOf": [JOB, {"type": "null"}], "description": "The job in flight, if it is yours too."},
    )
    near = fields.Nested(NearRequest(), required=True, allow_none=True)
    database = one_of(
        ["up", "down"], required=True, metadata={"description": "If down, `job` and `near` are not known."}
    )


class ExplainedText(Schema):
    """One text of a call for embeddings."""

    index = fields.Integer(required=True)
    key = fields.String(required=True, metadata={"description": "The sha256 of `parts` as canonical JSON."})
    parts = fields.Dict(required=True)
    tiers = fields.List(fields.Nested(Holding()), required=True)


class EmbeddingsExplanation(Schema):
    """Of each text its key and what is known of it, and what asking for all of them would come to."""

    items = fields.List(
        fields.Nested(ExplainedText()), required=True, metadata={"description": "In the order of the call."}
    )
    hits = fields.Integer(required=True, metadata={"description": "Texts whose vector a tier has for this call."})
    misses = fields.Integer(required=True, metadata={"description": "All others: one job asks for them."})
    outcome = one_of(list(OUTCOMES), required=True)
    rule = fields.String(required=True, metadata={"description": "What decides. docs/explain.md lists all."})
    detail = fields.String(required=True)
    job = fields.Raw(
        required=True,
        metadata={
            "anyOf": [JOB, {"type": "null"}],
            "description": "The job in flight for the misses, if it is yours too.",
        },
    )
    database = one_of(["up", "down"], required=True, metadata={"description": "If down, `job` is not known."})


_REFUSALS = (QUOTA, MALFORMED, TOO_LARGE, MEDIA_TYPE, CONTENT_ENCODING, TRANSFER_ENCODING, INVALID)


def _doc(
    operation_id: str, content: dict[str, Any], *more: ProblemType, explanation: type[Schema] = Explanation
) -> dict[str, Any]:
    """Document an endpoint that explains bodies of this content. `more`: what else it may refuse them with."""
    return {
        "operationId": operation_id,
        "requestBody": {"required": True, "content": content},
        "parameters": [CACHE_CONTROL],
        "responses": {
            200: {"description": "The explanation.", "content": {JSON: {"schema": explanation()}}},
            **refused(*_REFUSALS, *more),
        },
    }


EXPLAIN_DOC = _doc("explain", BODIES)
EXPLAIN_COMPLETION_DOC = _doc("explain_chat_completion", COMPLETION_DOC["requestBody"]["content"], MODEL)
EXPLAIN_RESPONSE_DOC = _doc("explain_response", CREATE_DOC["requestBody"]["content"], MODEL, PREVIOUS, DATABASE)
EXPLAIN_EMBEDDINGS_DOC = _doc(
    "explain_embeddings", EMBEDDINGS_DOC["requestBody"]["content"], MODEL, explanation=EmbeddingsExplanation
)
