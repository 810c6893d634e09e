from typing import Any

import pytest

from simulator.answers.schema_instances import UnusableSchema, check_strict, instance


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"const": 4}, 4),
        ({"default": "x", "type": "string"}, "x"),
        ({"enum": ["a", "b"]}, "a"),
        ({"type": "string", "maxLength": 3}, "sim"),
        ({"type": "string", "minLength": 12}, "simulated..."),
        ({"type": "string", "format": "date"}, "2026-01-01"),
        ({"type": "integer"}, 0),
        ({"type": "integer", "exclusiveMinimum": 3}, 4),
        ({"type": "integer", "maximum": -3, "multipleOf": 2}, -4),
        ({"type": "number", "minimum": 0, "maximum": 1}, 0),
        ({"type": ["boolean", "null"]}, False),
        ({"type": "null"}, None),
        ({"anyOf": [{"type": "boolean"}, {"type": "null"}]}, False),
        ({"allOf": [{"type": "integer"}, {"minimum": 2}]}, 2),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [0, 0]),
        ({"type": "object", "properties": {"a": {"const": 1}, "b": {}}, "required": ["a"]}, {"a": 1}),
        ({"$ref": "#/$defs/x", "$defs": {"x": {"const": 7}}}, 7),
    ],
)
def test_an_instance_is_the_smallest_that_fits(schema: dict[str, Any], value: object) -> None:
    assert instance(schema) == value


@pytest.mark.parametrize("reference", ["#", "#/$defs/nowhere/else"])
def test_a_schema_without_an_instance_is_unusable(reference: str) -> None:
    with pytest.raises(UnusableSchema):
        instance({"$ref": reference, "$defs": {"nowhere": 1}})


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {}},
        {"type": "object", "properties": {"a": {}}, "required": [], "additionalProperties": False},
        {"type": "array", "items": {"type": "object"}},
    ],
)
def test_strict_mode_takes_only_closed_objects(schema: dict[str, Any]) -> None:
    with pytest.raises(UnusableSchema):
        check_strict(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": 1}, "required": ["a"]},
        {"type": "object", "properties": {"a": {}}, "required": 1},
        {"type": "string", "minLength": "a"},
        {"type": "integer", "multipleOf": 0},
        {"type": "array", "minItems": []},
        {"enum": {"a": 1}},
        {"anyOf": {"a": 1}},
        {"$ref": {}},
        {"type": []},
    ],
)
def test_a_schema_that_is_not_valid_is_unusable(schema: dict[str, Any]) -> None:
    with pytest.raises(UnusableSchema):
        instance(schema)


@pytest.mark.parametrize("wrong", [{"required": 1}, {"required": [[]]}, {"required": [], "properties": None}])
def test_strict_mode_takes_only_valid_schemas(wrong: dict[str, Any]) -> None:
    with pytest.raises(UnusableSchema):
        check_strict({"type": "object", "properties": {}, "additionalProperties": False, **wrong})
