"""How an endpoint says which JSON body it takes."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from flask import Response, request
from flask_smorest import Blueprint
from marshmallow import Schema, ValidationError
from marshmallow.exceptions import SCHEMA
from marshmallow.fields import Nested

from api.flask_adapter import OTHER_BODY_BYTES, read_body
from api.http.field_errors import pointer_to
from api.http.json_body import parse_json
from shared.errors import FieldError, InvalidRequest

View = Callable[..., Response]


def takes_body(blueprint: Blueprint, schema: Schema) -> Callable[[View], View]:
    """Let a view take a JSON object, which it gets parsed as its first argument; none at all is an empty one."""
    _name_known_fields(schema)

    def decorate(view: View) -> View:
        @wraps(view)
        def taking(*args: Any, **kwargs: Any) -> Response:  # noqa: ANN401  the view's own
            return view(_load(schema, read_body(request, OTHER_BODY_BYTES)), *args, **kwargs)

        content = {"application/json": {"schema": schema}}
        required = any(field.required for field in schema.fields.values())
        documented: View = blueprint.doc(requestBody={"content": content, "required": required})(taking)
        return documented

    return decorate


def _name_known_fields(schema: Schema) -> None:
    """Let a schema say of an unknown field which ones there are, as query strings do."""
    schema.error_messages["unknown"] = f"unknown field; known are {', '.join(schema.fields)}"
    for field in schema.fields.values():
        if isinstance(field, Nested):
            _name_known_fields(field.schema)


def _load(schema: Schema, body: bytes) -> Any:  # noqa: ANN401  what the schema makes of it
    given = parse_json(body) if body else {}
    if not isinstance(given, dict):
        raise InvalidRequest([FieldError("", "must be an object")])
    try:
        return schema.load(given)
    except ValidationError as err:
        raise InvalidRequest(_errors(err.messages_dict)) from err


def _errors(messages: Mapping[str, Any], parent: str = "") -> list[FieldError]:
    """Return marshmallow's messages as ours; an item of a list that is wrong makes the list wrong."""
    found: list[FieldError] = []
    for name, each in messages.items():
        pointer = parent if name == SCHEMA else pointer_to(name, parent)
        if isinstance(each, Mapping) and all(isinstance(inner, str) for inner in each):
            found.extend(_errors(each, pointer))
        else:
            found.append(FieldError(pointer, _first(each)))
    return found


def _first(found: Any) -> str:  # noqa: ANN401  a list of messages, or such by item
    while not isinstance(found, str):
        found = next(iter(found.values() if isinstance(found, Mapping) else found))
    return found
