import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.json_body import MAX_DEPTH, parse_json
from shared.errors import MalformedRequest

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)

BRACKETS = st.text(alphabet='[]{}",:\\/ ', max_size=60)


@given(VALUES)
def test_every_json_value_is_read_as_it_is(value: object) -> None:
    assert parse_json(json.dumps(value).encode()) == value


@given(st.lists(BRACKETS | st.dictionaries(BRACKETS, BRACKETS, max_size=3), max_size=5), st.booleans())
def test_brackets_and_quotes_in_texts_count_for_nothing(value: object, spaced: bool) -> None:  # noqa: FBT001  drawn
    assert parse_json(json.dumps(value, indent=2 if spaced else None).encode()) == value


@given(st.lists(st.booleans(), min_size=1, max_size=2 * MAX_DEPTH))
def test_what_is_nested_is_read_up_to_a_depth(objects: list[bool]) -> None:
    body = "1"
    for is_object in objects:
        body = f'{{"a": {body}}}' if is_object else f"[{body}]"
    if len(objects) <= MAX_DEPTH:
        assert parse_json(body.encode()) == json.loads(body)
    else:
        with pytest.raises(MalformedRequest, match="levels deep"):
            parse_json(body.encode())


@given(st.binary(max_size=60) | st.text(alphabet='{}[]:,"\\u0dEe+-.NaIfinty truels', max_size=40).map(str.encode))
def test_any_bytes_are_json_or_malformed(body: bytes) -> None:
    try:
        parse_json(body)
    except MalformedRequest:
        return


@pytest.mark.parametrize("body", ["NaN", "Infinity", '{"a": -Infinity}', "1e999", '{"a": [-1e999]}'])
def test_a_number_that_json_has_not_is_malformed(body: str) -> None:
    with pytest.raises(MalformedRequest):
        parse_json(body.encode())


@pytest.mark.parametrize("body", ['{"a": 1, "a": 1}', '{"b": {"a": 1, "\\u0061": 2}}', '[{"a": 1, "a": 2}]'])
def test_a_name_that_occurs_twice_is_malformed(body: str) -> None:
    with pytest.raises(MalformedRequest, match="twice"):
        parse_json(body.encode())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig", "latin-1"])
def test_only_utf_8_is_read(encoding: str) -> None:
    with pytest.raises(MalformedRequest):
        parse_json('"é"'.encode(encoding))


@pytest.mark.parametrize("body", [b"", b" ", b"{", b"{'a': 1}", b"[1,]", b'"\x00"', b"01", b'{"a": 1} x'])
def test_broken_json_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedRequest, match="not valid JSON"):
        parse_json(body)


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_endless_nesting_is_malformed(opening: bytes) -> None:
    with pytest.raises(MalformedRequest):
        parse_json(opening * 200_000)


def test_endless_digits_are_malformed() -> None:
    with pytest.raises(MalformedRequest):
        parse_json(b"9" * 100_000)
