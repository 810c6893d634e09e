import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.unit.simulator.chat import KINDS, answered, ask, content_of, streamed, tool

EVERY_KIND = pytest.mark.parametrize("kind", KINDS)
LONG = {"messages": [{"role": "user", "content": "Say 40 words about ünïcödé 日本語日本語日本語日本語日本語"}]}
WEATHER = tool("weather", city={"type": "string"})
CLOCK = tool("clock", zone={"enum": ["Europe/Amsterdam"]})


def order(client: FlaskClient, fault: str, **members: object) -> None:
    assert client.post("/admin/faults", json={"fault": fault, **members}).status_code == 201


@EVERY_KIND
def test_the_deltas_joined_are_the_answer_that_comes_without_a_stream(client: FlaskClient, kind: str) -> None:
    chunks = streamed(client, kind, **LONG)
    assert content_of(chunks) == answered(client, kind, **LONG)["choices"][0]["message"]["content"]
    assert len(chunks) > 10


@EVERY_KIND
def test_a_stream_begins_with_the_role_and_ends_with_the_reason_and_done(client: FlaskClient, kind: str) -> None:
    first, *_, last, end = streamed(client, kind)
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert (last["choices"][0]["delta"], last["choices"][0]["finish_reason"]) == ({}, "stop")
    assert end == "[DONE]"


@EVERY_KIND
def test_all_chunks_are_of_one_completion(client: FlaskClient, kind: str) -> None:
    chunks = streamed(client, kind)[:-1]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks}) == 1


@EVERY_KIND
def test_the_usage_comes_in_a_chunk_without_choices_where_it_is_asked_for(client: FlaskClient, kind: str) -> None:
    *_, last, usage, _ = streamed(client, kind, stream_options={"include_usage": True})
    assert last["choices"][0]["finish_reason"] == "stop"
    assert (usage["choices"], usage["usage"]) == ([], answered(client, kind)["usage"])


@pytest.mark.parametrize("kind", ["huggingface", "openai"])
def test_without_being_asked_for_no_chunk_has_a_usage(client: FlaskClient, kind: str) -> None:
    assert not [chunk for chunk in streamed(client, kind)[:-1] if "usage" in chunk or not chunk["choices"]]


def test_groq_says_its_id_first_and_its_usage_last(client: FlaskClient) -> None:
    first, *_, last, _ = streamed(client, "groq")
    assert last["x_groq"] == {**first["x_groq"], "usage": answered(client, "groq")["usage"]}


@EVERY_KIND
def test_tool_calls_come_in_pieces_by_their_index(client: FlaskClient, kind: str) -> None:
    messages = [{"role": "user", "content": "weather and clock"}]
    asked = {"messages": messages, "tools": [WEATHER, CLOCK]}
    wanted = answered(client, kind, **asked)["choices"][0]["message"]["tool_calls"]
    got: dict[int, Any] = {}
    pieces = 0
    for chunk in streamed(client, kind, **asked)[:-1]:
        for delta in chunk["choices"][0]["delta"].get("tool_calls", ()):
            index = delta.pop("index")
            got.setdefault(index, delta)
            if got[index] is not delta:
                pieces += 1
                got[index]["function"]["arguments"] += delta["function"]["arguments"]
    assert [got[index] for index in range(2)] == wanted
    assert pieces > 2


def test_choices_are_streamed_in_turns(client: FlaskClient) -> None:
    chunks = streamed(client, n=2)
    assert [chunk["choices"][0]["index"] for chunk in chunks[:4]] == [0, 1, 0, 1]
    whole = answered(client, n=2)["choices"]
    assert [content_of(chunks, index) for index in range(2)] == [each["message"]["content"] for each in whole]


def test_log_probabilities_come_with_their_words(client: FlaskClient) -> None:
    chunks = streamed(client, logprobs=True)[1:-2]
    for chunk in chunks:
        (token,) = chunk["choices"][0]["logprobs"]["content"]
        assert token["token"] == chunk["choices"][0]["delta"]["content"]


@EVERY_KIND
def test_what_is_refused_is_no_stream(client: FlaskClient, kind: str) -> None:
    refused = ask(client, kind, stream=True, messages=[])
    assert (refused.status_code, refused.mimetype) == (400, "application/json")


def test_a_truncated_answer_says_so_at_the_end_of_its_stream(client: FlaskClient) -> None:
    order(client, "truncated")
    assert streamed(client)[-2]["choices"][0]["finish_reason"] == "length"


def test_the_pace_can_be_set_and_read(client: FlaskClient) -> None:
    client.put("/admin/pace", json={"seconds": 0.25})
    assert client.get("/admin/pace").json == {"seconds": 0.25}


@pytest.mark.parametrize("seconds", [-1, "1", None, True])
def test_a_pace_must_be_a_number_from_0(client: FlaskClient, seconds: object) -> None:
    assert client.put("/admin/pace", json={"seconds": seconds}).status_code == 400


def test_a_fault_may_set_the_pace_of_one_call(client: FlaskClient) -> None:
    client.put("/admin/pace", json={"seconds": 3600})
    order(client, "stream_paced", chunk_seconds=0.001)
    assert streamed(client)[-1] == "[DONE]"


def test_a_fault_of_streams_waits_for_one(client: FlaskClient) -> None:
    order(client, "stream_end", count=1, after_chunks=1)
    assert answered(client)["choices"]
    assert len(streamed(client)) == 1
    assert streamed(client)[-1] == "[DONE]"


def test_a_stream_can_end_after_everything_but_its_last_event(client: FlaskClient) -> None:
    whole = streamed(client)
    order(client, "stream_end", after_chunks=1000)
    assert streamed(client) == whole[:-1]


@pytest.mark.parametrize(("fault", "chunks"), [("stream_cut", 3), ("cut", None)])
def test_a_cut_stream_breaks_off_and_is_one_call(client: FlaskClient, fault: str, chunks: int | None) -> None:
    order(client, fault, after_chunks=chunks)
    with pytest.raises(ConnectionAbortedError), ask(client, stream=True) as response:
        response.get_data()
    report = client.get("/admin/calls").json or {}
    assert (report["total"], report["paid"], report["in_flight"]) == (1, 1, 0)


def test_garbage_in_a_stream_is_followed_by_the_rest(client: FlaskClient) -> None:
    order(client, "stream_garbage", after_chunks=1)
    with ask(client, stream=True) as response:
        first, garbage, *rest = response.text.split("\n\n")
    assert json.loads(first.removeprefix("data: "))
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(garbage.removeprefix("data: "))
    assert rest[-2] == "data: [DONE]"


def test_an_error_ends_a_stream(client: FlaskClient) -> None:
    order(client, "stream_error", after_chunks=2)
    *chunks, error = streamed(client)
    assert len(chunks) == 2
    assert error["error"].keys() == {"message", "type", "param", "code"}


def test_a_stalled_stream_goes_on_after_its_delay(client: FlaskClient) -> None:
    order(client, "stream_stall", delay_seconds=0.001)
    assert streamed(client)[-1] == "[DONE]"


def test_a_stream_in_flight_is_closed_when_it_ends(client: FlaskClient) -> None:
    with ask(client, stream=True) as response:
        assert (client.get("/admin/calls").json or {})["in_flight"] == 1
        response.get_data()
    (call,) = (client.get("/admin/calls").json or {})["calls"]
    assert (call["status"], call["finished_at"] is not None) == (200, True)


def test_a_dripping_stream_arrives_whole(client: FlaskClient) -> None:
    whole = streamed(client)
    order(client, "drip", delay_seconds=0)
    assert streamed(client) == whole


@pytest.mark.parametrize("members", [{"after_chunks": -1}, {"after_chunks": 1.5}, {"chunk_seconds": -1}])
def test_an_order_for_a_stream_that_makes_no_sense_is_400(client: FlaskClient, members: dict[str, Any]) -> None:
    assert client.post("/admin/faults", json={"fault": "stream_cut", **members}).status_code == 400
