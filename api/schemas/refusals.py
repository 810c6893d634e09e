"""Errors in the OpenAPI document: how they look, and what an operation may answer with, by status, with examples."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from flask_smorest import Api
from marshmallow import Schema, fields

from api.http.reply import JSON, PROBLEM, Reply
from api.problem_types.catalogue import PROBLEM_TYPES
from api.problem_types.of_access import INVALID_KEY, NO_KEY, SCOPE
from api.problem_types.of_requests import HOST, INTERNAL, METHOD, ORIGIN, OTHER
from api.problem_types.of_service import BUSY, CONFLICT, DATABASE, EXHAUSTED, OVERDUE, OVERLOADED
from api.problem_types.problem_type import ProblemType

OPENAI = "openai_"
"""Begins the names of examples in OpenAI's shape."""

ANYWHERE = (
    *(NO_KEY, INVALID_KEY, SCOPE, ORIGIN, METHOD, HOST, OTHER, INTERNAL),
    *(OVERLOADED, DATABASE, BUSY, OVERDUE, CONFLICT, EXHAUSTED),
)
"""What any operation may answer with."""


class FieldProblem(Schema):
    """One wrong field."""

    pointer = fields.String(required=True, metadata={"description": "RFC 6901 pointer into the body or query."})
    detail = fields.String(required=True, metadata={"description": "What is wrong with it, or what it must be."})


class Problem(Schema):
    """An error (RFC 9457)."""

    type = fields.String(
        required=True,
        metadata={
            "format": "uri-reference",
            "description": "Leads to the paragraph about this kind of error, on the host that answered.",
        },
    )
    title = fields.String(required=True, metadata={"description": "The kind of error, in words."})
    status = fields.Integer(required=True, metadata={"description": "That of HTTP."})
    detail = fields.String(required=True, metadata={"description": "What happened, and what to do next."})
    code = fields.String(required=True, metadata={"description": "The kind of error, for programs; new ones may come."})
    retryable = fields.Boolean(metadata={"description": "Whether the same request may succeed later."})
    violated_policies = fields.List(
        fields.String(), data_key="violated-policies", metadata={"description": "The limits that forbid it."}
    )
    job_id = fields.UUID(metadata={"description": "The job that failed or was cancelled."})
    errors = fields.List(fields.Nested(FieldProblem()), metadata={"description": "Each wrong field."})


class OpenAIErrorDetails(Schema):
    """What went wrong."""

    message = fields.String(required=True, metadata={"description": "What happened, and what to do next."})
    type = fields.String(required=True)
    param = fields.String(required=True, allow_none=True, metadata={"description": "The first wrong field."})
    code = fields.String(required=True, allow_none=True)


class OpenAIError(Schema):
    """An error, as OpenAI's API describes it."""

    error = fields.Nested(OpenAIErrorDetails(), required=True)


def refused(*types: ProblemType) -> dict[int | str, Any]:
    """Describe the errors that an operation may answer with, beyond those of any, as responses by status."""
    return _by_status([each.examples() for each in types])


def refused_as_openai(*types: ProblemType) -> dict[int | str, Any]:
    """Describe the same in OpenAI's shape, with the statuses that go with it."""
    return _by_status([each.compatible_examples() for each in types], prefix=OPENAI)


def describe_errors(api: Api) -> None:
    """Add the responses that every error has, and all examples."""
    every = [each.examples() for each in ANYWHERE]
    add = api.spec.components
    add.response("Problem", _response("Any other error (RFC 9457).", PROBLEM, Problem(), _names(every)))
    described = "Any other error, as OpenAI's API has it."
    add.response("OpenAIError", _response(described, JSON, OpenAIError(), _names(every, OPENAI)))
    for each in PROBLEM_TYPES.values():
        if not each.compatible_only:
            for name, reply in each.examples().items():
                add.example(name, _example(each, reply))
        for name, reply in each.compatible_examples().items():
            add.example(f"{OPENAI}{name}", _example(each, reply))


def _by_status(found: Iterable[Mapping[str, Reply]], prefix: str = "") -> dict[int | str, Any]:
    statuses: dict[int, list[str]] = {}
    for name, reply in (pair for examples in found for pair in examples.items()):
        statuses.setdefault(reply.status, []).append(f"{prefix}{name}")
    media_type, schema = (JSON, OpenAIError) if prefix else (PROBLEM, Problem)
    return {
        status: _response(", ".join(f"`{name.removeprefix(prefix)}`" for name in names), media_type, schema(), names)
        for status, names in sorted(statuses.items())
    }


def _names(found: Iterable[Mapping[str, Reply]], prefix: str = "") -> list[str]:
    return [f"{prefix}{name}" for examples in found for name in examples]


def _response(description: str, media_type: str, schema: Schema, names: Iterable[str]) -> dict[str, Any]:
    examples = {name: {"$ref": f"#/components/examples/{name}"} for name in names}
    return {"description": description, "content": {media_type: {"schema": schema, "examples": examples}}}


def _example(each: ProblemType, reply: Reply) -> dict[str, Any]:
    return {"summary": each.code, "description": each.when, "value": json.loads(reply.body)}
