"""What the OpenAPI document says beyond the schemas: the body and the headers of predict, and problems."""

from typing import Any

from flask_smorest import Api

from api.reply import PROBLEM
from api.schemas import Job, Problem
from shared.catalogue import TASK_TYPES, TaskType

EXAMPLE = {"task_type": "summarization", "input": "A long text ...", "options": {"max_words": 50}}


def _body(task_type: TaskType) -> dict[str, Any]:
    about = "A picture's http(s) URL, or a data URL in base64." if task_type.takes_picture else "The text."
    properties = {
        "task_type": {"type": "string", "const": task_type.name},
        "input": {"type": "string", "minLength": 1, "description": about},
        "options": task_type.options_schema(),
        "model": {"type": "string", "description": f"One of the models that /tasks lists for {task_type.name}."},
    }
    required = ["task_type", "input", *(["options"] if task_type.options_schema()["required"] else [])]
    return {
        "title": task_type.name,
        "description": task_type.about,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


_FORM = {
    "type": "object",
    "properties": {
        "task_type": {"type": "string", "enum": [each.name for each in TASK_TYPES if each.takes_picture]},
        "file": {"type": "string", "format": "binary", "description": "The picture."},
        "options": {"type": "string", "description": "A JSON object."},
        "model": {"type": "string"},
    },
    "required": ["task_type", "file"],
}


def _header(name: str, about: str) -> dict[str, Any]:
    return {"in": "header", "name": name, "required": False, "schema": {"type": "string"}, "description": about}


_PROBLEMS = dict.fromkeys(("400", "413", "415", "422", "502", "503", "504"), "Problem")

PREDICT_DOC: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"oneOf": [_body(each) for each in TASK_TYPES]}, "example": EXAMPLE},
            "multipart/form-data": {"schema": _FORM},
        },
    },
    "parameters": [
        _header("Cache-Control", "`no-cache`, `no-store`, `max-age=N`, `only-if-cached` (RFC 9111)."),
        _header("Prefer", "`wait=N`: hold up to N seconds, at most 60, for the end of the job (RFC 7240)."),
        _header("X-Request-ID", "Comes back with the response and into the log."),
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


def describe_problems(api: Api) -> None:
    """Add the response that every error has."""
    api.spec.components.response(
        "Problem", {"description": "An error (RFC 9457).", "content": {PROBLEM: {"schema": Problem()}}}
    )
