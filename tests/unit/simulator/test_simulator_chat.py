"""What OpenAI's clients may send to a chat completion, whichever kind of provider answers."""

import base64
import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.unit.simulator.chat import KINDS, answered, ask, tool

WEATHER = tool("weather", city={"type": "string"}, days={"type": "integer", "minimum": 2})
CLOCK = tool("clock")
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)


def said(document: dict[str, Any], choice: int = 0) -> str:
    content: str = document["choices"][choice]["message"]["content"]
    return content


def called(document: dict[str, Any]) -> list[str]:
    return [call["function"]["name"] for call in document["choices"][0]["message"].get("tool_calls", ())]


@EVERY_KIND
def test_a_tool_is_called_with_arguments_that_fit_its_schema(client: FlaskClient, kind: str) -> None:
    choice = answered(client, kind, tools=[WEATHER])["choices"][0]
    (call,) = choice["message"]["tool_calls"]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("tool_calls", None)
    assert call["id"].startswith("call_")
    assert json.loads(call["function"]["arguments"]) == {"city": "simulated", "days": 2}


@EVERY_KIND
def test_after_the_result_of_a_tool_comes_a_text_about_it(client: FlaskClient, kind: str) -> None:
    calls = [{"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}]
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "call_1", "name": "weather", "content": "22 degrees"},
    ]
    assert '"22 degrees"' in said(answered(client, kind, messages=messages, tools=[WEATHER]))


def test_the_tools_that_the_message_names_are_called(client: FlaskClient) -> None:
    messages = [{"role": "user", "content": "Ask clock and weather"}]
    assert called(answered(client, messages=messages, tools=[WEATHER, CLOCK])) == ["weather", "clock"]


def test_one_tool_is_called_where_parallel_calls_are_forbidden(client: FlaskClient) -> None:
    messages = [{"role": "user", "content": "Ask clock and weather"}]
    order = {"messages": messages, "tools": [WEATHER, CLOCK], "parallel_tool_calls": False}
    assert called(answered(client, **order)) == ["weather"]


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        ("none", []),
        ("auto", ["weather"]),
        ("required", ["weather"]),
        ({"type": "function", "function": {"name": "clock"}}, ["clock"]),
    ],
)
def test_the_choice_among_tools_is_obeyed(client: FlaskClient, choice: object, names: list[str]) -> None:
    assert called(answered(client, tools=[WEATHER, CLOCK], tool_choice=choice)) == names


@EVERY_KIND
def test_an_answer_ends_before_a_stop_sequence(client: FlaskClient, kind: str) -> None:
    document = answered(client, kind, stop=["never", " This"])
    assert said(document) == 'You said: "Hi".'
    assert document["choices"][0]["finish_reason"] == "stop"


@EVERY_KIND
def test_what_changes_nothing_is_accepted(client: FlaskClient, kind: str) -> None:
    order = {"seed": 1, "top_p": 0.5, "n": 1, "user": "me", "store": None, "unheard_of": {"by": "anyone"}}
    assert said(answered(client, kind, **order)) == said(answered(client, kind))


@EVERY_KIND
def test_a_picture_may_stand_in_a_part_of_the_content(client: FlaskClient, kind: str) -> None:
    url = f"data:image/png;base64,{base64.b64encode(b'GIF89a any picture').decode()}"
    content = [{"type": "text", "text": "Describe."}, {"type": "image_url", "image_url": {"url": url}}]
    reply = said(answered(client, kind, messages=[{"role": "user", "content": content}]))
    assert "You said" not in reply


@pytest.mark.parametrize("kind", ["huggingface", "openai"])
def test_several_choices_differ(client: FlaskClient, kind: str) -> None:
    document = answered(client, kind, n=3)
    assert [choice["index"] for choice in document["choices"]] == [0, 1, 2]
    assert len({said(document, choice) for choice in range(3)}) == 3


@pytest.mark.parametrize("kind", ["huggingface", "openai"])
def test_log_probabilities_spell_the_content(client: FlaskClient, kind: str) -> None:
    document = answered(client, kind, logprobs=True, logit_bias={"1": 2})
    tokens = document["choices"][0]["logprobs"]["content"]
    assert "".join(token["token"] for token in tokens) == said(document)


@pytest.mark.parametrize(
    ("order", "param"),
    [
        ({"logprobs": False}, "logprobs"),
        ({"logit_bias": {}}, "logit_bias"),
        ({"n": 2}, "n"),
        ({"messages": [{"role": "user", "content": "Hi", "name": "Ann"}]}, "messages.0.name"),
    ],
)
def test_groq_says_which_parameter_it_does_not_have(client: FlaskClient, order: dict[str, Any], param: str) -> None:
    refused = ask(client, "groq", **order)
    error = (refused.json or {})["error"]
    assert (refused.status_code, error["type"], error["param"]) == (400, "invalid_request_error", param)


@pytest.mark.parametrize(
    ("order", "param"),
    [
        ({"messages": "Hi"}, "messages"),
        ({"messages": [{"role": "assistant"}]}, "messages"),
        ({"messages": [{"role": "tool", "content": "22"}]}, "messages"),
        ({"tools": {}}, "tools"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"tools": [{"type": "function", "function": {"name": "a", "parameters": []}}]}, "tools"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [CLOCK], "tool_choice": {"type": "function", "function": {"name": "weather"}}}, "tool_choice"),
        ({"stop": ["a"] * 5}, "stop"),
        ({"stop": 1}, "stop"),
        ({"seed": "1"}, "seed"),
        ({"top_p": 2}, "top_p"),
        ({"temperature": True}, "temperature"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"n": 0}, "n"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {}}, "stream_options"),
        ({"response_format": {"type": "json_schema"}}, "response_format"),
    ],
)
def test_a_wrong_parameter_is_named(client: FlaskClient, order: dict[str, Any], param: str) -> None:
    refused = ask(client, "openai", **order)
    assert refused.status_code == 400
    assert (refused.json or {})["error"]["param"] == param


def test_a_compatible_server_needs_no_key(client: FlaskClient) -> None:
    body = {"model": "any", "messages": [{"role": "user", "content": "Hi"}]}
    assert client.post("/compatible/v1/chat/completions", json=body).status_code == 200


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}"])
def test_a_compatible_server_refuses_a_body_without_a_model(client: FlaskClient, body: bytes) -> None:
    assert client.post("/compatible/v1/chat/completions", data=body).status_code == 400
