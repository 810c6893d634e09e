"""Bodies of the Responses API: any of them becomes a chat completion, or is refused by a member's name."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.responses.documents import Made, response_document
from api.responses.messages import messages_of
from api.responses.record import ResponseRecord
from api.responses.wanted import conversation_of, read_wanted
from shared.domain.answer import Usage
from shared.domain.conversation import Conversation, read_conversation
from shared.domain.inputs import WrongValue
from shared.jobs.job import JobStatus
from shared.times import new_id, now

MAX_CHARS = 1000
PICTURE = "data:image/png;base64,iVBORw0KGgo="

texts = st.text(max_size=9)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def mostly(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Draw what is right, and now and then anything."""
    return st.integers(0, 15).flatmap(lambda chance: values if chance else json_values)


def some(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={name: mostly(values) for name, values in members.items()})


def a(kind: str, **members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"type": st.just(kind), **{name: mostly(each) for name, each in members.items()}})


parts = st.one_of(
    a("input_text", text=texts),
    a("output_text", text=texts),
    a("refusal", refusal=texts),
    a("input_image", image_url=st.just(PICTURE), detail=st.sampled_from(["auto", "low"])),
    a("input_file", file_id=texts),
)
contents = texts | st.lists(mostly(parts), max_size=3)
items = st.one_of(
    a("message", role=st.sampled_from(["user", "assistant", "system", "developer"]), content=contents),
    st.fixed_dictionaries({"role": st.just("user"), "content": contents}),
    a("function_call", call_id=texts, name=texts, arguments=texts),
    a("function_call_output", call_id=texts, output=contents),
    a("reasoning", summary=st.lists(parts, max_size=1)),
    a("item_reference", id=texts),
)
tools = a("function", name=texts, parameters=st.just({"type": "object"}), strict=st.booleans())
formats = st.sampled_from([{"type": "text"}, {"type": "json_object"}]) | a(
    "json_schema", name=texts, schema=st.just({"type": "object"})
)
bodies = st.builds(
    lambda asked, given: {**asked, **given},
    st.fixed_dictionaries({"model": st.just("m"), "input": mostly(texts | st.lists(mostly(items), max_size=4))}),
    some(
        instructions=texts,
        tools=st.lists(mostly(tools), max_size=2),
        tool_choice=st.sampled_from(["auto", "none", {"type": "function", "name": "f"}])
        | a("allowed_tools", mode=st.just("auto"), tools=st.lists(mostly(tools), max_size=2)),
        text=some(format=formats, verbosity=texts),
        reasoning=some(effort=texts, summary=texts),
        max_output_tokens=st.integers(),
        temperature=st.floats(0, 2),
        metadata=st.dictionaries(texts, texts, max_size=2),
        store=st.booleans(),
        background=st.booleans(),
        include=st.lists(mostly(st.just("reasoning.encrypted_content")), max_size=1),
        anything=st.none(),
    ),
)


def asked(**body: Any) -> Conversation:
    return conversation_of(read_wanted({"model": "m", **body}), [], "max_tokens", MAX_CHARS)


@given(bodies)
@example({"model": "m", "input": "Hi", "instructions": "\ud800"})
def test_a_body_is_refused_by_a_member_or_can_be_asked_and_shown(body: dict[str, Any]) -> None:
    try:
        wanted = read_wanted(body)
        conversation = conversation_of(wanted, [], "max_tokens", MAX_CHARS)
    except WrongValue as err:
        refused = err.pointer
        assert refused.startswith("/")
        return
    assert read_conversation(conversation.body, MAX_CHARS) == conversation
    previous, parameters = None, wanted.parameters.shown
    record = ResponseRecord(new_id(), "t", new_id(), previous, wanted.background, "m", wanted.items, parameters)
    assert response_document(record, Made(JobStatus.QUEUED, "m", None, Usage(), None, None))["status"] == "queued"


@given(
    st.fixed_dictionaries(
        {"role": st.just("assistant")},
        optional={
            "content": mostly(texts),
            "refusal": mostly(texts),
            "reasoning": mostly(texts),
            "tool_calls": mostly(
                st.lists(mostly(some(id=texts, function=some(name=texts, arguments=texts))), max_size=2)
            ),
        },
    ),
    mostly(st.sampled_from(["stop", "length", "content_filter"]).map(str)).filter(
        lambda reason: isinstance(reason, str)
    ),
    json_values,
)
def test_any_answer_of_a_provider_is_shown_and_can_be_gone_on_from(
    message: dict[str, Any], reason: str, usage: object
) -> None:
    completion = {"choices": [{"message": message, "finish_reason": reason}], "usage": usage}
    record = ResponseRecord(new_id(), "t", new_id(), None, background=False, model="m", items=[], parameters={})
    document = response_document(record, Made(JobStatus.COMPLETED, "m", completion, Usage(1, 2, 3), None, now()))
    assert document["status"] in {"completed", "incomplete"}
    for each in messages_of(document["output"]):
        assert each["role"] == "assistant"


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"role": "developer", "content": "Be brief."}, {"role": "system", "content": "Be brief."}),
        ({"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}, {"role": "user", "content": "Hi"}),
        (
            {"role": "user", "content": [{"type": "input_image", "image_url": PICTURE, "detail": "auto"}]},
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": PICTURE}}]},
        ),
        (
            {"role": "user", "content": [{"type": "input_image", "image_url": PICTURE, "detail": "low"}]},
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": PICTURE, "detail": "low"}}]},
        ),
        (
            {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
            {"role": "assistant", "content": "No."},
        ),
        (
            {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "7"}]},
            {"role": "tool", "tool_call_id": "c", "content": "7"},
        ),
    ],
)
def test_an_item_becomes_the_message_that_says_the_same(item: dict[str, Any], message: dict[str, Any]) -> None:
    assert asked(input=[item]).body["messages"] == [message]


def test_calls_are_part_of_the_message_before_them_and_thoughts_of_none() -> None:
    calls = [{"type": "function_call", "call_id": each, "name": "f", "arguments": "{}"} for each in "ab"]
    said = {"role": "assistant", "content": "Let me see."}
    (message,) = asked(input=[said, {"type": "reasoning", "id": "rs_1", "summary": []}, *calls]).body["messages"]
    assert (message["content"], [call["id"] for call in message["tool_calls"]]) == ("Let me see.", ["a", "b"])


@pytest.mark.parametrize(
    ("given", "passed_on"),
    [
        ({"max_output_tokens": 9}, {"max_tokens": 9}),
        ({"text": {"format": {"type": "json_object"}}}, {"response_format": {"type": "json_object"}}),
        (
            {"text": {"format": {"type": "json_schema", "name": "n", "schema": {"a": 1}, "strict": True}}},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "n", "schema": {"a": 1}, "strict": True},
                }
            },
        ),
        ({"reasoning": {"effort": "high", "summary": "auto"}}, {"reasoning_effort": "high"}),
        ({"temperature": 1.0, "parallel_tool_calls": False}, {"temperature": 1, "parallel_tool_calls": False}),
        ({"user": "me", "metadata": {"a": "b"}, "prompt_cache_key": "k", "store": False}, {}),
    ],
)
def test_parameters_are_passed_on_in_the_words_of_chat_completions(
    given: dict[str, Any], passed_on: dict[str, Any]
) -> None:
    body = asked(input="Hi", **given).body
    assert {name: value for name, value in body.items() if name != "messages"} == passed_on
