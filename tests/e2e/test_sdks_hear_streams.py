"""What clients of `/v1` hear of streams with the SDKs of OpenAI and Groq, which are used as they are."""

import json
from typing import Any

import pytest
from pydantic import BaseModel

from tests.e2e.sdks import Sdk, a_question
from tests.stack import Stack

AT_ONCE = 50
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
COUNTED = {"stream_options": {"include_usage": True}}


class City(BaseModel):
    name: str
    inhabitants: int


def heard(sdk: Sdk, question: dict[str, Any]) -> list[Any]:
    """Return all chunks of a stream."""
    chunks: list[Any] = []
    assert sdk.hear(question, chunks) is None
    return chunks


def text_of(chunks: list[Any]) -> str:
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def test_a_stream_is_the_answer_in_pieces_and_kept_for_those_who_want_it_whole(stack: Stack, sdk: Sdk) -> None:
    question = a_question()
    chunks = heard(sdk, question)
    whole = sdk.ask(question)
    assert text_of(chunks) == whole.choices[0].message.content
    assert {type(chunk).__name__ for chunk in chunks} == {"ChatCompletionChunk"}
    assert (len({chunk.id for chunk in chunks}), len(chunks) > 2) == (1, True)
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert whole.usage.total_tokens == 0
    assert stack.paid() == 1


def test_an_answer_that_was_asked_for_whole_is_kept_for_streams(stack: Stack, sdk: Sdk) -> None:
    question = a_question()
    whole = sdk.ask(question)
    chunks = heard(sdk, {**question, "extra_body": COUNTED})
    assert text_of(chunks) == whole.choices[0].message.content
    assert (chunks[-1].choices, chunks[-1].usage.total_tokens) == ([], 0)
    assert chunks[-1].x_askonce["saved"]["total_tokens"] == whole.usage.total_tokens
    assert stack.paid() == 1


def test_the_usage_of_a_miss_comes_last(sdk: Sdk) -> None:
    chunks = heard(sdk, a_question(extra_body=COUNTED))
    assert chunks[-1].usage.total_tokens > 0
    assert {chunk.usage for chunk in chunks[:-1]} == {None}


def test_calls_of_tools_come_in_pieces_too(sdk: Sdk) -> None:
    question = a_question(tools=[WEATHER])
    for chunks in (heard(sdk, question), heard(sdk, question)):
        calls = [call for chunk in chunks for choice in chunk.choices for call in choice.delta.tool_calls or ()]
        assert [call.function.name for call in calls if call.function.name] == ["weather"]
        assert set(json.loads("".join(call.function.arguments or "" for call in calls))) == {"city"}
        assert chunks[-1].choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize("sdk", ["openai", "openai-async"], indirect=True)
def test_the_sdk_puts_a_stream_together_and_parses_it(sdk: Sdk) -> None:
    question = a_question(response_format=City)

    def final(client: Any) -> Any:
        with client.chat.completions.stream(**question) as stream:
            return stream.get_final_completion()

    async def final_async(client: Any) -> Any:
        async with client.chat.completions.stream(**question) as stream:
            return await stream.get_final_completion()

    for _ in range(2):
        answer = sdk.use(final_async if sdk.is_async else final)
        assert isinstance(answer.choices[0].message.parsed, City)


@pytest.mark.parametrize("sdk", ["groq-async"], indirect=True)
def test_identical_streams_at_once_are_paid_once_and_heard_by_all(stack: Stack, sdk: Sdk) -> None:
    stack.simulator("PUT", "latency", {"seconds": 0.5})
    streams = sdk.hear_at_once(a_question(), AT_ONCE)
    assert len({chunks[0].id for chunks in streams}) == AT_ONCE
    assert len({text_of(chunks) for chunks in streams}) == 1
    assert {chunks[-1].choices[0].finish_reason for chunks in streams} == {"stop"}
    assert stack.paid() == 1


def test_what_is_refused_before_the_first_chunk_is_an_error_of_its_class(sdk: Sdk) -> None:
    assert type(sdk.hear(a_question(temperature=9), [])).__name__ == "BadRequestError"


def test_a_stream_that_breaks_off_raises_and_the_same_call_gets_an_answer(stack: Stack, sdk: Sdk) -> None:
    # At a pace: whoever has heard nothing of an attempt when it breaks off hears the next one.
    stack.fault("stream_error", after_chunks=3, chunk_seconds=0.1)
    question, chunks = a_question(), []
    error = sdk.hear(question, chunks)
    assert (type(error).__name__, error.body["code"]) == ("APIError", "stream_interrupted")
    stack.simulator("DELETE", "faults")
    whole = sdk.ask(question).choices[0].message.content
    assert whole.startswith(text_of(chunks))
    assert text_of(chunks) not in {"", whole}


def test_a_stream_that_is_left_goes_on_for_the_next_call(stack: Stack, sdk: Sdk) -> None:
    stack.fault("stream_stall", count=1, after_chunks=3)
    question, chunks = a_question(), []
    assert sdk.hear(question, chunks, at_most=1) is None
    stack.simulator("DELETE", "faults")
    assert sdk.ask(question).choices[0].message.content.startswith(text_of(chunks))
    assert stack.paid() == 1
