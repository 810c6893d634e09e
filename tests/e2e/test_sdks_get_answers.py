"""What clients of `/v1` get with the SDKs of OpenAI and Groq, which are used as they are."""

import base64
import json
from typing import Any

import pytest
import requests
from pydantic import BaseModel

from tests.e2e.sdks import MODEL, SEES, Sdk, a_question
from tests.stack import Stack

AT_ONCE = 50
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


class City(BaseModel):
    name: str
    inhabitants: int


def test_a_hit_is_the_answer_of_the_miss_in_the_sdks_own_types(stack: Stack, sdk: Sdk) -> None:
    question = a_question()
    miss, hit = (sdk.ask(question) for _ in range(2))
    for answer in (miss, hit):
        # OpenAI has other names for the tiers of its service than Groq.
        document = {**answer.to_dict(), "service_tier": None}
        assert type(answer).model_validate(document).choices == miss.choices
    assert miss.choices[0].message.content
    assert miss.id != hit.id
    assert miss.usage.total_tokens == hit.x_askonce["saved"]["total_tokens"] > 0 == hit.usage.total_tokens
    assert stack.paid() == 1


def test_the_headers_say_where_an_answer_comes_from(stack: Stack, sdk: Sdk) -> None:
    question = a_question()
    miss, hit = (
        sdk.use(lambda client: client.chat.completions.with_raw_response.create(**question)).headers for _ in range(2)
    )
    assert miss["Cache-Status"] == "redis; fwd=uri-miss, memcached; fwd=uri-miss"
    assert hit["Cache-Status"].startswith("memcached; hit; ttl=")
    assert int(hit["Age"]) >= 0
    assert miss["X-AskOnce-Job"] == hit["X-AskOnce-Job"]
    assert stack.job(miss["X-AskOnce-Job"])["status"] == "completed"


def test_tools_are_called_and_what_they_gave_is_used(sdk: Sdk) -> None:
    question = a_question(tools=[WEATHER])
    asked = sdk.ask(question).choices[0]
    (call,) = asked.message.tool_calls
    assert (asked.finish_reason, call.function.name, set(json.loads(call.function.arguments))) == (
        "tool_calls",
        "weather",
        {"city"},
    )
    result = {"role": "tool", "tool_call_id": call.id, "content": "It rains."}
    # As the SDKs' documentation does it: the message goes back as the object that came.
    answer = sdk.ask({**question, "messages": [*question["messages"], asked.message, result]})
    assert "It rains." in answer.choices[0].message.content


def test_a_message_may_go_back_with_all_that_its_type_has(sdk: Sdk) -> None:
    question = a_question()
    message = sdk.ask(question).choices[0].message.model_dump()
    more = {"role": "user", "content": "And then?"}
    assert sdk.ask({**question, "messages": [*question["messages"], message, more]}).choices[0].message.content


def test_an_answer_has_the_schema_that_was_asked_for(sdk: Sdk) -> None:
    schema = {**City.model_json_schema(), "additionalProperties": False}
    wanted = {"type": "json_schema", "json_schema": {"name": "city", "strict": True, "schema": schema}}
    answer = sdk.ask(a_question(response_format=wanted))
    assert City.model_validate_json(answer.choices[0].message.content)


@pytest.mark.parametrize("sdk", ["openai", "openai-async"], indirect=True)
def test_an_answer_is_parsed_into_the_class_that_was_asked_for(sdk: Sdk) -> None:
    question = a_question(response_format=City)
    for _ in range(2):
        answer = sdk.use(lambda client: client.chat.completions.parse(**question))
        assert isinstance(answer.choices[0].message.parsed, City)


def test_pictures_are_looked_at(stack: Stack, sdk: Sdk) -> None:
    picture = requests.get(f"{stack.environment['SIMULATOR_URL']}/pictures/cat.png", timeout=10).content
    url = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    content = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": url}}]
    question = a_question(model=SEES, messages=[{"role": "user", "content": content}])
    assert "cat" in sdk.ask(question).choices[0].message.content


def test_models_are_listed_and_each_can_be_read(sdk: Sdk) -> None:
    listed = sdk.use(lambda client: client.models.list()).data
    assert {MODEL, SEES} <= {model.id for model in listed}
    for model in listed:
        assert sdk.use(lambda client, name=model.id: client.models.retrieve(name)) == model


@pytest.mark.parametrize("sdk", ["openai", "openai-async"], indirect=True)
def test_identical_calls_at_once_are_paid_once(stack: Stack, sdk: Sdk) -> None:
    stack.simulator("PUT", "latency", {"seconds": 0.5})
    question = a_question()
    answers: list[Any] = sdk.use_at_once(lambda client: client.chat.completions.create(**question), AT_ONCE)
    assert len({answer.id for answer in answers}) == AT_ONCE
    assert len({answer.choices[0].message.content for answer in answers}) == 1
    assert len({answer.x_askonce["job_id"] for answer in answers}) == 1
    assert stack.paid() == 1
