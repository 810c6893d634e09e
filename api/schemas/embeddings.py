"""What the OpenAPI document says of embeddings for clients of OpenAI's API."""

from typing import Any

from api.http.reply import JSON
from api.problem_types.of_asking import LOST, MODEL, NOT_ENDED
from api.schemas.compatible_examples import ASK_EMBEDDINGS, VECTORS, example_of
from api.schemas.completions import ERRORS
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
from shared.domain.embedding_input import HIGHEST_TOKEN_ID, MOST_DIMENSIONS, MOST_ITEMS
from shared.domain.embeddings import EMBEDDING

_TOKEN_IDS = {"type": "array", "minItems": 1, "items": {"type": "integer", "minimum": 0, "maximum": HIGHEST_TOKEN_ID}}
_BODY: dict[str, Any] = {
    "type": "object",
    "description": "As OpenAI documents it. All that AskOnce does not know is passed on, and is part of the key.",
    "properties": {
        "model": {"type": "string", "description": "As GET /v1/models names it."},
        "input": {
            "oneOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "minItems": 1, "maxItems": MOST_ITEMS, "items": {"type": "string", "minLength": 1}},
                {**_TOKEN_IDS, "description": "Token ids of one text."},
                {"type": "array", "minItems": 1, "maxItems": MOST_ITEMS, "items": _TOKEN_IDS},
            ]
        },
        "encoding_format": {"enum": ["float", "base64", None], "default": "float"},
        "dimensions": {"type": ["integer", "null"], "minimum": 1, "maximum": MOST_DIMENSIONS},
    },
    "required": ["model", "input"],
}
_ITEM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "object": {"type": "string"},
        "index": {"type": "integer"},
        "embedding": {
            "oneOf": [{"type": "array", "items": {"type": "number"}}, {"type": "string"}],
            "description": "Numbers, or these as little-endian 32-bit floats in base64.",
        },
    },
    "required": ["object", "index", "embedding"],
}
_EMBEDDINGS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "object": {"type": "string"},
        "data": {"type": "array", "items": _ITEM},
        "model": {"type": "string"},
        "usage": {
            "type": "object",
            "description": "What was paid for this call: zero where a tier had all vectors.",
            "properties": {"prompt_tokens": {"type": "integer"}, "total_tokens": {"type": "integer"}},
        },
        "x_askonce": {
            "type": "object",
            "description": "`hits`: vectors that a tier had; `saved`: what these save. `job_id`: the job that made the "
            "others; where there are none, the one that made all of them, or null if several have.",
            "properties": {
                "saved": {"type": ["object", "null"]},
                "job_id": {"type": ["string", "null"], "format": "uuid"},
                "hits": {"type": "integer"},
                "misses": {"type": "integer"},
            },
        },
    },
    "required": ["object", "data", "model", "usage", "x_askonce"],
}
_JOB = response_header("The job that made, or makes, the vectors; none if several have.", required=False)

EMBEDDINGS_DOC: dict[str, Any] = {
    "operationId": "create_embeddings",
    "requestBody": {
        "required": True,
        "content": {JSON: {"schema": _BODY, "examples": {"two texts": {"value": ASK_EMBEDDINGS}}}},
    },
    "parameters": [
        CACHE_CONTROL,
        header("Prefer", "`respond-async`: answer with the job at once (RFC 7240) instead of waiting for its end."),
        IDEMPOTENCY_KEY,
        REQUEST_ID_HEADER,
        TRACEPARENT,
    ],
    "responses": {
        200: {
            "description": "A vector for each item, in their order.",
            "content": {JSON: {"schema": _EMBEDDINGS, "examples": example_of(VECTORS)}},
            "headers": {
                "Cache-Status": CACHE_STATUS,
                "Age": response_header(
                    "Where a tier had all vectors: seconds since the oldest was made.", "integer", required=False
                ),
                "X-AskOnce-Job": _JOB,
            },
        },
        202: {
            "description": "The job, for a client that prefers an asynchronous answer.",
            "content": {JSON: {"schema": job_of(EMBEDDING)}},
            "headers": {"Cache-Status": CACHE_STATUS, "X-AskOnce-Job": _JOB},
        },
        **refused_as_openai(*OF_CALLS_THAT_ASK, MODEL, NOT_ENDED, LOST),
        **ERRORS,
    },
}
