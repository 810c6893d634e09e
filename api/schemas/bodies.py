"""The bodies of predict in the OpenAPI document: one JSON object for each task type, and a form for all.

They are components, because an installation decides which models a request may name.
"""

from typing import Any

from flask_smorest import Api

from api.schemas.job_examples import example_body
from api.schemas.jobs import words
from shared.domain.catalogue import Catalogue, Offer
from shared.domain.inputs import TEXT_PATTERN
from shared.domain.registry import TASK_TYPES
from shared.domain.task_type import TaskType

PICTURE_PATTERN = "^([Hh][Tt][Tt][Pp][Ss]?://|[Dd][Aa][Tt][Aa]:)"
PICTURE_TYPES = "image/png, image/jpeg, image/webp, image/gif"
FORM = "PredictForm"
OTHERS = ("task_type", "options", "model")


def _component(task_type: TaskType) -> str:
    return f"{words(task_type.name)}Request"


_REFERENCES = {each.name: f"#/components/schemas/{_component(each)}" for each in TASK_TYPES}

BODIES: dict[str, Any] = {
    "application/json": {
        "schema": {
            "oneOf": [{"$ref": reference} for reference in _REFERENCES.values()],
            "discriminator": {"propertyName": "task_type", "mapping": _REFERENCES},
        },
        "examples": {each.name: {"summary": each.about, "value": example_body(each)} for each in TASK_TYPES},
    },
    "multipart/form-data": {
        "schema": {"$ref": f"#/components/schemas/{FORM}"},
        "encoding": {"file": {"contentType": PICTURE_TYPES}, "options": {"contentType": "application/json"}},
    },
}
"""By media type; the schemas are what `describe_bodies` adds."""


def describe_bodies(api: Api, catalogue: Catalogue) -> None:
    """Add the bodies that this installation accepts."""
    for offer in catalogue.values():
        api.spec.components.schema(_name_of_options(offer.task_type), _options(offer.task_type))
        api.spec.components.schema(_component(offer.task_type), _body(offer))
    api.spec.components.schema(FORM, _form(catalogue))


def _body(offer: Offer) -> dict[str, Any]:
    task_type = offer.task_type
    return {
        "title": _component(task_type),
        "description": task_type.about,
        "type": "object",
        "properties": {
            "task_type": {"type": "string", "const": task_type.name},
            "input": _input(task_type),
            "options": _given_options(task_type),
            "model": _or_null({"type": "string", "enum": [*offer.allowed_models]}),
        },
        "required": ["task_type", "input", *_required_options(task_type)],
        "additionalProperties": False,
    }


def _input(task_type: TaskType) -> dict[str, Any]:
    if task_type.takes_picture:
        about = "A picture's http(s) URL, or a data URL in base64."
        return {"type": "string", "description": about, "pattern": PICTURE_PATTERN}
    about = "The text, of at most MAX_INPUT_CHARS characters (100,000 unless set)."
    return {"type": "string", "description": about, "pattern": TEXT_PATTERN}


def _options(task_type: TaskType) -> dict[str, Any]:
    """Return the schema of the options, of which those that may be left out may be null."""
    schema = task_type.options_schema()
    properties = {
        name: option if name in schema["required"] else {**option, "type": [option["type"], "null"]}
        for name, option in schema["properties"].items()
    }
    return {**schema, "properties": properties, "description": f"How to do it: {task_type.about}"}


def _given_options(task_type: TaskType) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{_name_of_options(task_type)}"}
    return reference if _required_options(task_type) else _or_null(reference)


def _name_of_options(task_type: TaskType) -> str:
    return f"{words(task_type.name)}Options"


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _required_options(task_type: TaskType) -> list[str]:
    return ["options"] if task_type.options_schema()["required"] else []


def _form(catalogue: Catalogue) -> dict[str, Any]:
    """Return one object with all fields, because tools don't look for the fields of a form inside of `oneOf`."""
    return {
        "type": "object",
        "properties": {
            "task_type": {"type": "string", "enum": list(catalogue)},
            "input": {"type": "string", "description": "As in JSON: a text, or a picture's address."},
            "file": {"type": "string", "format": "binary", "description": "The picture, in place of `input`."},
            "options": {"type": ["object", "null"], "description": "As in JSON."},
            "model": {"type": "string", "description": "As in JSON."},
        },
        "anyOf": [_form_of(offer, given) for offer in catalogue.values() for given in _ways(offer.task_type)],
        "additionalProperties": False,
    }


def _ways(task_type: TaskType) -> tuple[str, ...]:
    return ("input", "file") if task_type.takes_picture else ("input",)


def _form_of(offer: Offer, given: str) -> dict[str, Any]:
    """Return the form of a task type whose input is given in this field."""
    task_type = offer.task_type
    return {
        "title": f"{words(task_type.name)}By{words(given)}",
        "properties": {
            "task_type": {"type": "string", "const": task_type.name},
            "options": _given_options(task_type),
            "model": {"type": "string", "enum": list(offer.allowed_models)},
            **({"input": _input(task_type)} if given == "input" else {}),
        },
        "propertyNames": {"enum": [*OTHERS, given]},
        "required": ["task_type", given, *_required_options(task_type)],
    }
