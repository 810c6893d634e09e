"""The smallest instance of a JSON Schema, for structured answers nobody taught the simulator."""

from typing import Any

FORMATS = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "email": "someone@example.org",
    "uri": "https://example.org/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
#: Deeper than any schema that is not circular.
DEEPEST = 32
Schema = dict[str, Any]
#: What comes of a keyword whose value is not of the type that JSON Schema has for it.
_MISUSE = (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError, ZeroDivisionError)


class UnusableSchema(Exception):
    """The schema has no instance this module could make, or is not one that strict mode allows."""


def instance(schema: Schema) -> object:
    """Return a minimal value that fits; UnusableSchema if there is none, or the schema is not valid."""
    try:
        return _instance(schema, schema, 0)
    except _MISUSE as error:
        message = "the schema is not valid"
        raise UnusableSchema(message) from error


def check_strict(schema: object) -> None:
    """Raise UnusableSchema unless every object lists all its properties as required and allows no others."""
    try:
        _check_strict(schema)
    except _MISUSE as error:
        message = "the schema is not valid"
        raise UnusableSchema(message) from error


def _check_strict(schema: object) -> None:
    if isinstance(schema, list):
        for entry in schema:
            _check_strict(entry)
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "object":
        properties = schema.get("properties", {})
        if schema.get("additionalProperties") is not False:
            message = "`additionalProperties:false` must be set on every object"
            raise UnusableSchema(message)
        if set(schema.get("required", [])) != set(properties):
            message = "`required` is required to be supplied and to be an array including every key in properties"
            raise UnusableSchema(message)
    for entry in schema.values():
        _check_strict(entry)


def _instance(schema: Schema, root: Schema, depth: int) -> object:
    if depth > DEEPEST:
        message = "the schema requires itself"
        raise UnusableSchema(message)
    for word in ("const", "default"):
        if word in schema:
            return schema[word]
    if schema.get("enum"):
        return schema["enum"][0]
    instead = _instead(schema, root)
    return _typed(schema, root, depth) if instead is None else _instance(instead, root, depth + 1)


def _instead(schema: Schema, root: Schema) -> Schema | None:
    """Return the schema that this one only points to or combines, None if it speaks for itself."""
    if "$ref" in schema:
        return _target(schema["$ref"], root)
    if schema.get("allOf"):
        return {key: value for part in schema["allOf"] for key, value in part.items()}
    choices: list[Schema] = schema.get("anyOf") or schema.get("oneOf") or []
    return choices[0] if choices else None


def _target(reference: str, root: Schema) -> Schema:
    found: Any = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        found = found.get(step) if step and isinstance(found, dict) else found
    if not isinstance(found, dict):
        message = f"{reference} leads nowhere"
        raise UnusableSchema(message)
    return found


def _typed(schema: Schema, root: Schema, depth: int) -> object:
    kind = schema.get("type", "object" if "properties" in schema else "null")
    kind = kind[0] if isinstance(kind, list) else kind
    match kind:
        case "object":
            properties = schema.get("properties", {})
            required = [name for name in schema.get("required", []) if name in properties]
            return {name: _instance(properties[name], root, depth + 1) for name in required}
        case "array":
            return [_instance(schema.get("items", {}), root, depth + 1) for _ in range(schema.get("minItems", 0))]
        case "string":
            return _string(schema)
        case "integer" | "number":
            return _number(schema, whole=kind == "integer")
        case "boolean":
            return False
    return None


def _string(schema: Schema) -> str:
    text: str = FORMATS.get(schema.get("format", ""), "simulated").ljust(schema.get("minLength", 0), ".")
    return text[: schema.get("maxLength", len(text))]


def _number(schema: Schema, *, whole: bool) -> float:
    step = schema.get("multipleOf", 1 if whole else 0.5)
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    # The least multiple that is not too small; without a lower bound 0, or the greatest that is not too large.
    start = min(0, high or 0) // step if low is None else -(-low // step)
    value = start * step
    if value == schema.get("exclusiveMinimum"):
        value += step
    if value == schema.get("exclusiveMaximum"):
        value -= step
    return int(value) if whole else value
