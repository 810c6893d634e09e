"""What the OpenAPI document says beyond the schemas: the body and headers of predict, ids in paths, and problems."""

from typing import Any

from flask_smorest import Api

from api.http.reply import PROBLEM
from api.schemas.responses import Job, Problem
from shared.domain.registry import TASK_TYPES
from shared.domain.task_type import TaskType

TEXT = r"^[^\u0000]*[^\s\u0000][^\u0000]*$"
"""A pattern: some character that is no space, and no NUL."""


def _body(task_type: TaskType) -> dict[str, Any]:
    given = {
        "type": "string",
        "description": "A picture's http(s) URL, or a data URL in base64."
        if task_type.takes_picture
        else "The text, of at most MAX_INPUT_CHARS characters (100,000 unless set).",
        "pattern": TEXT,
    }
    options = _options(task_type)
    properties = {
        "task_type": {"type": "string", "const": task_type.name},
        "input": given,
        "options": options if options["required"] else _or_null(options),
        "model": _or_null(
            {"type": "string", "description": f"One of the models that /tasks lists for {task_type.name}."}
        ),
    }
    required = ["task_type", "input", *(["options"] if options["required"] else [])]
    return {
        "title": task_type.name,
        "description": task_type.about,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _example(task_type: TaskType) -> dict[str, Any]:
    given = {"input": task_type.example.input, "options": dict(task_type.example.options)}
    return {"summary": task_type.about, "value": {"task_type": task_type.name, **given}}


def _options(task_type: TaskType) -> dict[str, Any]:
    schema = task_type.options_schema()
    properties = {
        name: option if name in schema["required"] else _or_null(option)
        for name, option in schema["properties"].items()
    }
    return {**schema, "properties": properties}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Let null stand for what may be left out."""
    return {**schema, "type": [schema["type"], "null"]}


_FORM = {
    "type": "object",
    "properties": {
        "task_type": {"type": "string", "enum": [each.name for each in TASK_TYPES]},
        "input": {"type": "string", "description": "As in JSON: a text, or a picture's address.", "pattern": TEXT},
        "file": {"type": "string", "format": "binary", "description": "The picture, in place of `input`."},
        "options": {
            "type": "string",
            "contentMediaType": "application/json",
            "description": "The options as one JSON object, in a string.",
        },
        "model": {"type": "string", "description": "One of the models that /tasks lists for the task type."},
    },
    "required": ["task_type"],
    "oneOf": [{"required": ["file"]}, {"required": ["input"]}],
    "additionalProperties": False,
}


def _header(name: str, about: str) -> dict[str, Any]:
    return {"in": "header", "name": name, "required": False, "schema": {"type": "string"}, "description": about}


def id_in_path(name: str) -> dict[str, Any]:
    """Describe an id in a path."""
    return {"in": "path", "name": name, "schema": {"type": "string", "format": "uuid"}}


_PROBLEMS = dict.fromkeys(("400", "409", "413", "415", "422", "502", "503", "504"), "Problem")

PREFER = _header(
    "Prefer", "`wait=N`: hold up to N seconds, at most 60, for the end of the job (RFC 7240). `wait` alone is 20."
)
PREDICT_DOC: dict[str, Any] = {
    "operationId": "predict",
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"oneOf": [_body(each) for each in TASK_TYPES]},
                "examples": {each.name: _example(each) for each in TASK_TYPES},
            },
            "multipart/form-data": {"schema": _FORM},
        },
    },
    "parameters": [
        _header("Cache-Control", "`no-cache`, `no-store`, `max-age=N`, `only-if-cached` (RFC 9111)."),
        PREFER,
        _header("X-Request-ID", "Comes back with the response, and is on the record of the call and in the log."),
    ],
    "responses": {
        "200": {
            "description": "The answer. `Cache-Status` (RFC 9211) says which tier it came from, `Age` how old it is.",
            "content": {"application/json": {"schema": Job()}},
        },
        "202": {
            "description": "A job was accepted, or joined; poll `Location`.",
            "content": {"application/json": {"schema": Job()}},
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
