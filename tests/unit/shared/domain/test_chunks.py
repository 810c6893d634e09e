"""Completions that are put together from chunks, and taken apart again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.chunks import assemble, chunks_of
from shared.domain.reading import UnusableAnswer

TEXT = st.text(max_size=600)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
CALLS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.text(min_size=1, max_size=9),
            "type": st.just("function"),
            "function": st.fixed_dictionaries({"name": st.text(max_size=9), "arguments": TEXT}),
        }
    ),
    max_size=3,
)
MESSAGE = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": st.none() | TEXT},
    optional={
        "refusal": st.none() | TEXT,
        "tool_calls": st.none() | CALLS,
        "function_call": st.fixed_dictionaries({"name": TEXT, "arguments": TEXT}),
        "reasoning": TEXT,
        "reasoning_content": st.none() | TEXT,
        "annotations": st.lists(JSON, max_size=3),
        "vendor_member": JSON,
    },
)
CHOICE = st.fixed_dictionaries(
    {"message": MESSAGE, "finish_reason": st.sampled_from(["stop", "length", "tool_calls"])},
    optional={
        "logprobs": st.none() | st.fixed_dictionaries({"content": st.lists(JSON, max_size=3), "refusal": st.none()}),
        "content_filter_results": JSON,
    },
)
DOCUMENT = st.fixed_dictionaries(
    {
        "id": st.text(max_size=9),
        "object": st.just("chat.completion"),
        "created": st.integers(0, 2**31),
        "model": st.text(max_size=9),
        "choices": st.lists(CHOICE, min_size=1, max_size=3).map(
            lambda choices: [{"index": index, **choice} for index, choice in enumerate(choices)]
        ),
        "usage": st.fixed_dictionaries({"prompt_tokens": st.integers(0, 9), "prompt_tokens_details": JSON}),
    },
    optional={"system_fingerprint": st.none() | st.text(max_size=9), "x_groq": st.just({"id": "req_1"})},
)


def chunk(delta: object, reason: object = None, index: int = 0, **more: Any) -> dict[str, Any]:
    return {"id": "c1", "choices": [{"index": index, "delta": delta, "finish_reason": reason}], **more}


def message_of(*deltas: object) -> dict[str, Any]:
    """The message of a completion of one choice."""
    found: dict[str, Any] = assemble([*map(chunk, deltas), chunk({}, "stop")])["choices"][0]["message"]
    return found


@given(DOCUMENT)
def test_a_completion_survives_being_taken_apart(document: dict[str, Any]) -> None:
    assert assemble(chunks_of(document, include_usage=True)) == document


@given(DOCUMENT)
def test_the_usage_is_left_out_unless_it_is_asked_for(document: dict[str, Any]) -> None:
    assert all("usage" not in each and each["choices"] for each in chunks_of(document))


@given(DOCUMENT)
def test_the_role_comes_first_and_the_reason_of_the_end_last(document: dict[str, Any]) -> None:
    for choice in document["choices"]:
        sent = [each["choices"][0] for each in chunks_of(document)]
        own = [each for each in sent if each["index"] == choice["index"]]
        assert own[0]["delta"]["role"] == "assistant"
        assert [each["finish_reason"] for each in own] == [None] * (len(own) - 1) + [choice["finish_reason"]]


def test_a_long_text_is_sent_in_pieces() -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "x" * 1000}, "finish_reason": "stop"}
    sent = [each["choices"][0]["delta"].get("content", "") for each in chunks_of({"choices": [choice]})]
    assert max(map(len, sent)) <= 256
    assert len(sent) == 6


def test_the_arguments_of_tool_calls_are_joined_by_their_index() -> None:
    def call(index: int, **more: Any) -> dict[str, Any]:
        return {"tool_calls": [{"index": index, **more}]}

    message = message_of(
        call(0, id="a", type="function", function={"name": "f", "arguments": ""}),
        call(1, id="b", type="function", function={"name": "g", "arguments": "{"}),
        call(0, function={"arguments": "[]"}),
        call(1, function={"arguments": "}"}),
    )
    assert message["tool_calls"] == [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": "[]"}},
        {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
    ]
    assert message["content"] is None


def test_tool_calls_without_index_are_one_for_each_id() -> None:
    first, second = ({"tool_calls": [{"id": each, "function": {"arguments": "{}"}}]} for each in ("a", "b"))
    assert [each["id"] for each in message_of(first, second)["tool_calls"]] == ["a", "b"]


def test_unknown_texts_of_a_delta_are_joined() -> None:
    assert message_of({"reasoning": "I th"}, {"reasoning": "ink", "content": "hi"})["reasoning"] == "I think"


def test_choices_are_told_apart() -> None:
    chunks = [chunk({"content": "a"}, index=1), chunk({"content": "b"}), chunk({}, "stop"), chunk({}, "length", 1)]
    found = assemble(chunks)["choices"]
    assert [(each["index"], each["message"]["content"], each["finish_reason"]) for each in found] == [
        (0, "b", "stop"),
        (1, "a", "length"),
    ]


@pytest.mark.parametrize(
    "last",
    [{"choices": [], "usage": {"total_tokens": 3}}, chunk({}, x_groq={"id": "r", "usage": {"total_tokens": 3}})],
    ids=["openai", "groq"],
)
def test_the_usage_comes_with_the_last_chunk(last: object) -> None:
    assert assemble([chunk({"content": "a"}, "stop"), last])["usage"] == {"total_tokens": 3}


@pytest.mark.parametrize(
    "broken",
    [
        None,
        [],
        {},
        {"choices": None},
        {"choices": {}},
        {"choices": ["a"]},
        {"choices": [{"delta": {}}]},
        chunk({}, index=-1),
        chunk({}, index=10**9),
        chunk("a"),
        chunk({}, 7),
        chunk({"content": 7}),
        chunk({"role": []}),
        chunk({"tool_calls": "a"}),
        chunk({"tool_calls": ["a"]}),
        chunk({"tool_calls": [{"index": "0"}]}),
        chunk({"tool_calls": [{"index": True}]}),
    ],
)
def test_what_is_no_chunk_is_unusable(broken: object) -> None:
    with pytest.raises(UnusableAnswer):
        assemble([broken, chunk({}, "stop")])


@pytest.mark.parametrize("chunks", [[], [chunk({"content": "a"})], [chunk({}, "stop"), chunk({}, index=1)]])
def test_a_stream_without_the_end_of_each_choice_is_unusable(chunks: list[object]) -> None:
    with pytest.raises(UnusableAnswer):
        assemble(chunks)


@given(st.lists(st.dictionaries(st.sampled_from(["choices", "usage", "id", "x_groq"]), JSON) | JSON, max_size=4))
def test_no_other_error_comes_of_any_json(chunks: list[object]) -> None:
    try:
        assemble(chunks)
    except UnusableAnswer:
        return


@given(st.lists(st.dictionaries(st.sampled_from(["content", "role", "tool_calls", "reasoning"]), JSON), max_size=4))
def test_no_other_error_comes_of_any_delta(deltas: list[object]) -> None:
    try:
        message_of(*deltas)
    except UnusableAnswer:
        return
