"""A chat completion in its client's own words: what of it is passed on and makes its key, and what is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.conversation import LONG_TEXTS, NOT_PASSED_ON, Conversation, read_conversation, texts_of
from shared.domain.inputs import WrongValue

MESSAGES = [{"role": "user", "content": "Hi"}]
MAX_CHARS = 1000
USAGE = "/stream_options/include_usage"
PICTURE = "data:image/png;base64,iVBORw0KGgo="

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=10,
)


def read(**fields: Any) -> Conversation:
    return read_conversation({"model": "any", "messages": MESSAGES, **fields}, MAX_CHARS)


def storable(value: object) -> bool:
    texts = "".join(texts_of(value))
    return "\x00" not in texts and not any("\ud800" <= char <= "\udfff" for char in texts)


def wrong(**fields: Any) -> tuple[str, str]:
    with pytest.raises(WrongValue) as raised:
        read(**fields)
    return raised.value.pointer, raised.value.detail


@given(st.dictionaries(st.text(min_size=1, max_size=9).map(lambda name: f"x_{name}"), json_values, max_size=4))
def test_what_is_not_known_is_passed_on_or_refused_as_no_text(fields: dict[str, Any]) -> None:
    kept = {name: value for name, value in fields.items() if value is not None}
    if storable(kept):
        assert read(**fields).body == {"messages": MESSAGES, **kept}
    else:
        assert wrong(**fields)[1].startswith("must not contain")


@given(json_values)
def test_reading_what_was_read_changes_nothing(value: Any) -> None:
    try:
        once = read(x=value)
    except WrongValue:
        return
    again = read_conversation(json.loads(json.dumps(dict(once.body))), MAX_CHARS)
    assert json.dumps(again.identity(), sort_keys=True) == json.dumps(once.identity(), sort_keys=True)


@pytest.mark.parametrize("name", sorted(NOT_PASSED_ON - {"stream", "stream_options"}))
def test_who_asks_is_not_passed_on(name: str) -> None:
    assert read(**{name: "anything"}) == read()


def test_how_the_answer_is_delivered_is_no_part_of_the_key() -> None:
    streamed = read(stream=True, stream_options={"include_usage": True})
    assert (streamed.streams, streamed.counts_tokens) == (True, True)
    assert streamed.identity() == read().identity()


def test_what_is_null_in_a_message_is_left_out_except_its_content() -> None:
    calls = [{"id": "1", "function": {"name": "f", "strict": None}}]
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    assert read(messages=[{**message, "refusal": None, "audio": None}]).body["messages"] == [message]


def test_usage_is_only_asked_for_in_a_stream() -> None:
    assert not read(stream=False, stream_options={"include_usage": True}).counts_tokens


@pytest.mark.parametrize(
    ("one", "other"), [(1, 1.0), (0, -0.0), ({"a": [2.0]}, {"a": [2]}), (2**53, 2.0**53)], ids=repr
)
def test_equal_numbers_make_equal_keys(one: object, other: object) -> None:
    assert json.dumps(dict(read(x=one).body)) == json.dumps(dict(read(x=other).body))


@pytest.mark.parametrize("other", [True, "1", 1.5, [1], 2], ids=repr)
def test_other_values_make_other_keys(other: object) -> None:
    assert json.dumps(dict(read(x=1).body)) != json.dumps(dict(read(x=other).body))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"messages": None}, ("/messages", "is required")),
        ({"messages": []}, ("/messages", "must be a list of at least one message")),
        ({"messages": "Hi"}, ("/messages", "must be a list of at least one message")),
        ({"messages": [*MESSAGES, "Hi"]}, ("/messages/1", "must be an object with a role")),
        ({"messages": [{"role": 7}]}, ("/messages/0", "must be an object with a role")),
        ({"stream": "yes"}, ("/stream", "must be true or false")),
        ({"stream_options": []}, ("/stream_options", "must be an object")),
        ({"stream": True, "stream_options": {"include_usage": 1}}, (USAGE, "must be true or false")),
        ({"x": {"a/b": ["\x00"]}}, ("/x/a~1b/0", "must not contain NUL (U+0000)")),
        ({"x": {"\x00": 1}}, ("/x", "must not contain NUL (U+0000)")),
        ({"x": "\ud800"}, ("/x", "must not contain a lone surrogate: send valid Unicode")),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(fields: dict[str, Any], expected: tuple[str, str]) -> None:
    assert wrong(**fields) == expected


def test_texts_are_limited_together_and_files_are_not_text() -> None:
    limit = MAX_CHARS * LONG_TEXTS
    assert wrong(x=["a" * limit])[0] == "/messages"
    assert read(x="data:image/png;base64," + "A" * limit).files == 1


def test_records_hold_digests_in_place_of_files() -> None:
    parts = [{"type": "image_url", "image_url": {"url": PICTURE}}, {"type": "text", "text": "What is this?"}]
    record = json.dumps(read(messages=[{"role": "user", "content": parts}]).as_record())
    assert "iVBOR" not in record
    assert '"media_type": "image/png"' in record
    assert "What is this?" in record
