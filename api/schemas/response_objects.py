"""What the OpenAPI document says of the Responses API."""

from typing import Any

from marshmallow import INCLUDE, Schema, fields, validate

from api.http.listening import EVENTS
from api.http.reply import JSON
from api.problem_types.of_asking import INTERRUPTED, MODEL, NOT_ENDED, PREVIOUS
from api.problem_types.of_requests import INVALID, NOT_FOUND
from api.schemas.compatible_examples import ASK_RESPONSE, RESPONSE, example_of
from api.schemas.completions import COMPLETION_DOC, ERRORS
from api.schemas.openapi import CACHE_STATUS, OF_CALLS_THAT_ASK, response_header
from api.schemas.queries import MAX_PAGE, one_of, saying, whole_number
from api.schemas.refusals import refused_as_openai

DEFAULT_PAGE = 20
LONGEST_ID = 200
MOST_EVENTS = 2**53

RESPONSE_ID: dict[str, Any] = {
    "in": "path",
    "name": "response_id",
    "schema": {"type": "string", "pattern": "^resp_[0-9a-f]{32}$"},
}


class ResponseObject(Schema):
    """A response, as OpenAI's API describes it. It has more members than are named here."""

    class Meta:
        """Lets the OpenAPI document say so too."""

        unknown = INCLUDE

    id = fields.String(required=True)
    object = fields.String(required=True)
    created_at = fields.Integer(required=True)
    completed_at = fields.Integer(required=True, allow_none=True)
    status = fields.String(
        required=True,
        validate=validate.OneOf(("queued", "in_progress", "completed", "incomplete", "failed", "cancelled")),
    )
    error = fields.Dict(required=True, allow_none=True)
    incomplete_details = fields.Dict(required=True, allow_none=True)
    model = fields.String(required=True)
    output = fields.List(fields.Dict(), required=True)
    previous_response_id = fields.String(required=True, allow_none=True)
    usage = fields.Dict(required=True, allow_none=True, metadata={"description": "Zero on a hit."})
    x_askonce = fields.Dict(
        required=True,
        metadata={"description": "`saved`: what a hit saved, null otherwise. `tier`: where it was found. `job_id`."},
    )


class DeletedResponse(Schema):
    """A response that was deleted."""

    id = fields.String(required=True)
    object = fields.String(required=True)
    deleted = fields.Boolean(required=True)


class InputItemList(Schema):
    """Items that a response was asked with."""

    object = fields.String(required=True)
    data = fields.List(fields.Dict(), required=True)
    first_id = fields.String(required=True, allow_none=True)
    last_id = fields.String(required=True, allow_none=True)
    has_more = fields.Boolean(required=True)


class ResponseQuery(Schema):
    """How a response is read."""

    stream = saying(
        "must be true or false",
        fields.Boolean(metadata={"description": "Read its events instead, also while it is made."}),
    )
    starting_after = whole_number(
        0, MOST_EVENTS, metadata={"description": "The `sequence_number` of the last event that the client has."}
    )


class InputItemQuery(Schema):
    """Which items are listed."""

    limit = whole_number(1, MAX_PAGE, load_default=DEFAULT_PAGE)
    order = one_of(("asc", "desc"), load_default="desc")
    after = saying(
        "must be the id of an item",
        fields.String(
            validate=validate.Length(max=LONGEST_ID),
            metadata={"description": "The id of the item before the first one."},
        ),
    )


_BODY: dict[str, Any] = {
    "type": "object",
    "description": "As OpenAI documents it. What chat completions do not have is refused.",
    "properties": {
        "model": {"type": "string", "description": "As GET /v1/models names it."},
        "input": {"type": ["string", "array"], "items": {"type": "object"}},
        "instructions": {"type": ["string", "null"]},
        "previous_response_id": {"type": ["string", "null"]},
        "store": {"type": ["boolean", "null"], "description": "Keep it, to be read and gone on from. The default."},
        "stream": {"type": ["boolean", "null"], "description": "Answer with events."},
        "background": {"type": ["boolean", "null"], "description": "Answer at once, with a response to poll."},
        "max_output_tokens": {"type": ["integer", "null"]},
        "text": {"type": ["object", "null"]},
        "reasoning": {"type": ["object", "null"]},
        "tools": {"type": ["array", "null"], "items": {"type": "object"}},
        "metadata": {"type": ["object", "null"]},
    },
    "required": ["model", "input"],
}
STREAM: dict[str, Any] = {
    "schema": {"type": "string", "description": "With `stream`: events, each with its type and `sequence_number`."}
}

GET_DOC: dict[str, Any] = {
    "operationId": "get_response",
    "responses": {
        200: {
            "description": "The response.",
            "content": {JSON: {"schema": ResponseObject(), "examples": example_of(RESPONSE)}, EVENTS: STREAM},
        },
        **refused_as_openai(NOT_FOUND, INVALID, NOT_ENDED, INTERRUPTED),
        **ERRORS,
    },
}

CREATE_DOC: dict[str, Any] = {
    "operationId": "create_response",
    "requestBody": {
        "required": True,
        "content": {JSON: {"schema": _BODY, "examples": {"question": {"value": ASK_RESPONSE}}}},
    },
    "parameters": COMPLETION_DOC["parameters"],
    "responses": {
        200: {
            "description": "The response.",
            "content": {JSON: {"schema": ResponseObject(), "examples": example_of(RESPONSE)}, EVENTS: STREAM},
            "headers": {
                "Cache-Status": CACHE_STATUS,
                "Age": response_header("Of a hit: seconds since its job completed.", "integer", required=False),
                "X-AskOnce-Job": response_header("The job that made, or makes, the answer."),
            },
        },
        202: COMPLETION_DOC["responses"][202],
        **refused_as_openai(*OF_CALLS_THAT_ASK, MODEL, PREVIOUS, NOT_ENDED),
        **ERRORS,
    },
}
