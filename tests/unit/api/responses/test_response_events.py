"""Events of responses: while an answer is made, of the whole of it, and from any of them on."""

import json
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.errors import JobNotEnded
from api.http.openai_errors import in_openai_shape
from api.http.pieces import piece_of
from api.http.problems import error_reply
from api.responses.documents import Made, made_not_yet, response_document
from api.responses.events import BEFORE_ALL, events_of
from api.responses.live_events import LiveEvents
from api.responses.record import ResponseRecord
from shared.domain.answer import Usage
from shared.domain.chunks import chunks_of
from shared.jobs.job import JobStatus
from shared.times import new_id, now

RECORD = ResponseRecord(new_id(), "t", new_id(), None, background=False, model="m", items=[], parameters={})
ORDER = ("role", "reasoning", "content", "tool_calls", "refusal")
"""In which providers stream the members of a message."""

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)
calls = st.builds(
    lambda number, text: {"id": f"call_{number}", "type": "function", "function": {"name": "f", "arguments": text}},
    st.integers(0, 9),
    texts,
)
messages = st.builds(
    lambda given: {name: given[name] for name in ORDER if name in given},
    st.fixed_dictionaries(
        {"role": st.just("assistant")},
        optional={"reasoning": texts, "content": texts, "refusal": texts, "tool_calls": st.lists(calls, max_size=3)},
    ),
)


def answered(message: Mapping[str, Any], reason: str = "stop") -> dict[str, Any]:
    completion = {"choices": [{"index": 0, "message": message, "finish_reason": reason}]}
    return response_document(RECORD, Made(JobStatus.COMPLETED, "m", completion, Usage(1, 2, 3), None, now()))


def live(after: int = BEFORE_ALL) -> LiveEvents:
    return LiveEvents(response_document(RECORD, made_not_yet("m")), RECORD.id, after)


def hear(voice: LiveEvents, message: Mapping[str, Any]) -> bytes:
    completion = {"object": "chat.completion", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    return voice.pieces([piece_of(chunk, {}) for chunk in chunks_of(completion)])


def read(events: bytes) -> list[dict[str, Any]]:
    found = []
    for each in filter(None, events.decode().split("\n\n")):
        name, _, data = each.partition("\n")
        found.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    return found


def numbers(events: Iterable[Mapping[str, Any]]) -> list[int]:
    return [each["sequence_number"] for each in events]


def said(events: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """Return the texts that deltas add up to, by item and kind; and the other events, which are only counted."""
    whole: dict[tuple[str, str], str] = {}
    for each in events:
        if each["type"].endswith(".delta"):
            key = (each["item_id"], each["type"])
            whole[key] = whole.get(key, "") + each["delta"]
    return whole


@given(messages)
def test_events_end_with_the_response_and_their_texts_are_its_texts(message: dict[str, Any]) -> None:
    document = answered(message)
    events = read(events_of(document))
    assert [each["type"] for each in events[:2]] == ["response.created", "response.in_progress"]
    assert (events[-1]["type"], events[-1]["response"]) == ("response.completed", document)
    assert numbers(events) == sorted(set(numbers(events)))
    assert [each["item"] for each in events if each["type"] == "response.output_item.done"] == document["output"]
    parts = [part for item in document["output"] for part in item.get("content", [{"text": item.get("arguments")}])]
    assert "".join(said(events).values()) == "".join(part.get("text") or part.get("refusal") or "" for part in parts)


@given(messages)
def test_what_is_heard_while_it_is_made_is_what_the_whole_answer_gives(message: dict[str, Any]) -> None:
    voice, whole = live(), events_of(answered(message))
    heard = read(hear(voice, message) + voice.rest(whole))
    assert said(heard) == said(read(whole))
    assert [(each["type"], each["sequence_number"]) for each in heard if not each["type"].endswith(".delta")] == [
        (each["type"], each["sequence_number"]) for each in read(whole) if not each["type"].endswith(".delta")
    ]


@given(messages, st.data())
def test_a_client_can_go_on_after_any_event(message: dict[str, Any], data: st.DataObject) -> None:
    document = answered(message)
    whole = read(events_of(document))
    first_voice = live()
    heard = read(hear(first_voice, message))
    place = data.draw(st.integers(0, len(heard) - 1))
    after = heard[place]["sequence_number"]
    following = live(after)
    rests = [events_of(document, after), hear(following, message) + following.rest(events_of(document, after) or b"")]
    for rest in rests:
        both = [*heard[: place + 1], *read(rest)]
        assert said(both) == said(whole)
        assert numbers(both) == sorted(set(numbers(both)))
        assert both[-1]["response"] == document


@pytest.mark.parametrize(
    "deltas",
    [
        [{"content": "a"}, {"reasoning": "b"}],
        [{"tool_calls": [{"index": 1, "id": "a", "function": {"name": "f"}}]}, {"tool_calls": [{"index": 0}]}],
        [{"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]}],
        [{"content": 7, "tool_calls": 7, "reasoning": []}],
    ],
)
def test_what_comes_in_no_order_is_left_to_the_end(deltas: list[dict[str, Any]]) -> None:
    voice = live()
    for delta in deltas:
        read(voice.pieces([piece_of({"choices": [{"index": 0, "delta": delta}]}, {})]))
    last = read(voice.rest(events_of(answered({"content": "a", "reasoning": "b"}))))[-1]
    assert last["type"] in {"response.completed", "error"}


def test_another_answer_is_never_glued_on() -> None:
    voice = live()
    hear(voice, {"content": "Lisbon is"})
    (error,) = read(voice.rest(events_of(answered({"content": "Porto is"}))))
    assert (error["type"], error["code"]) == ("error", "stream_interrupted")


def test_a_stream_that_can_not_go_on_ends_with_an_error() -> None:
    voice = live()
    heard = read(hear(voice, {"content": "Lis"}))
    (error,) = read(voice.error(in_openai_shape(error_reply(JobNotEnded())).body))
    assert error["sequence_number"] > heard[-1]["sequence_number"]
    assert (error["type"], error["code"]) == ("error", "job_not_ended")


def test_the_ids_of_items_are_those_of_the_whole_answer() -> None:
    assert isinstance(RECORD.id, UUID)
    voice = live()
    opened = [each for each in read(hear(voice, {"reasoning": "Hm.", "content": "a"})) if "added" in each["type"]]
    output = answered({"reasoning": "Hm.", "content": "a"})["output"]
    assert [each["item"]["id"] for each in opened if "item" in each] == [item["id"] for item in output]
