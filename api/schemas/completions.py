"""What the OpenAPI document says of the endpoints for clients of OpenAI's API."""

from typing import Any

from marshmallow import Schema, fields

from api.http.listening import EVENTS
from api.http.reply import JSON
from api.problem_types.of_asking import MODEL, NOT_ENDED
from api.schemas.compatible_examples import ASK_COMPLETION, COMPLETION, example_of
from api.schemas.jobs import job_of
from api.schemas.openapi import (
    CACHE_CONTROL,
    CACHE_STATUS,
    IDEMPOTENCY_KEY,
    OF_CALLS_THAT_ASK,
    REQUEST_ID_HEADER,
    TRACEPARENT,
    header,
    response_header,
)
from api.schemas.refusals import refused_as_openai
from shared.domain.completions import CHAT_COMPLETION


class ModelDetails(Schema):
    """What only this installation says of a model."""

    model = fields.String(required=True, metadata={"description": "As the provider is asked for it."})
    fallbacks = fields.List(
        fields.String(), required=True, metadata={"description": "Asked in its place, in order: of an alias."}
    )
    task_type = fields.String(required=True, metadata={"description": "`chat_completion` or `embedding`."})
    queue = fields.String(required=True)
    configured = fields.Boolean(
        required=True,
        metadata={"description": "Whether its provider can be asked; if not, only stored answers are served."},
    )


class Model(Schema):
    """A model, as OpenAI's API describes it."""

    id = fields.String(required=True, metadata={"description": "What a request may name."})
    object = fields.String(required=True)
    created = fields.Integer(required=True)
    owned_by = fields.String(required=True, metadata={"description": "The provider that answers."})
    x_askonce = fields.Nested(ModelDetails(), required=True)


class ModelList(Schema):
    """All models."""

    object = fields.String(required=True)
    data = fields.List(fields.Nested(Model()), required=True)


ERRORS: dict[int | str, Any] = {"default": "OpenAIError"}

_BODY: dict[str, Any] = {
    "type": "object",
    "description": "As OpenAI documents it. All that AskOnce does not know is passed on, and is part of the key.",
    "properties": {
        "model": {"type": "string", "description": "As GET /v1/models names it."},
        "messages": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "object", "properties": {"role": {"type": "string"}}, "required": ["role"]},
        },
        "stream": {"type": ["boolean", "null"], "description": "Answer in chunks, as server-sent events."},
        "stream_options": {
            "type": ["object", "null"],
            "properties": {"include_usage": {"type": ["boolean", "null"], "description": "End with the usage."}},
        },
    },
    "required": ["model", "messages"],
}
_COMPLETION: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "object": {"type": "string"},
        "created": {"type": "integer"},
        "model": {"type": "string"},
        "choices": {"type": "array", "items": {"type": "object"}},
        "usage": {"type": ["object", "null"], "description": "Zero on a hit."},
        "x_askonce": {
            "type": "object",
            "description": "`saved`: what a hit saved, null otherwise. `tier`: where it was found.",
            "properties": {
                "saved": {"type": ["object", "null"]},
                "job_id": {"type": "string", "format": "uuid"},
                "tier": {"type": ["string", "null"]},
            },
        },
    },
    "required": ["id", "object", "created", "model", "choices", "x_askonce"],
}

REFUSED = {**refused_as_openai(*OF_CALLS_THAT_ASK, MODEL, NOT_ENDED), **ERRORS}
_EVENTS = "With `stream`: chunks (chat.completion.chunk), or an error, each as one event; `[DONE]` is the last one."
_JOB = response_header("The job that made, or makes, the answer.")

COMPLETION_DOC: dict[str, Any] = {
    "operationId": "create_chat_completion",
    "requestBody": {
        "required": True,
        "content": {JSON: {"schema": _BODY, "examples": {"question": {"value": ASK_COMPLETION}}}},
    },
    "parameters": [
        CACHE_CONTROL,
        IDEMPOTENCY_KEY,
        header("Prefer", "`respond-async`: answer with the job at once (RFC 7240) instead of waiting for its end."),
        REQUEST_ID_HEADER,
        TRACEPARENT,
    ],
    "responses": {
        200: {
            "description": "The completion.",
            "content": {
                JSON: {"schema": _COMPLETION, "examples": example_of(COMPLETION)},
                EVENTS: {"schema": {"type": "string", "description": _EVENTS}},
            },
            "headers": {
                "Cache-Status": CACHE_STATUS,
                "Age": response_header("Of a hit: seconds since its job completed.", "integer", required=False),
                "X-AskOnce-Job": _JOB,
            },
        },
        202: {
            "description": "The job, for a client that prefers an asynchronous answer.",
            "content": {JSON: {"schema": job_of(CHAT_COMPLETION)}},
            "headers": {"Cache-Status": CACHE_STATUS, "X-AskOnce-Job": _JOB},
        },
        **REFUSED,
    },
}
