"""The fast path of predict, beside Flask's view of it."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from api.app import CHAT_COMPLETIONS
from api.dialects import tasks
from api.front.fast_path import MAX_BYTES, PARSED_HERE_BYTES
from api.http.intake import read_request
from api.request_log.records import RequestRecord
from shared.domain.request import Request
from shared.times import now
from tests.installation import Installation
from tests.integration.asking import an_answer
from tests.integration.fast_path_world import (
    COMPLETION_MODEL,
    HELD_BY_BOTH,
    HELD_BY_REDIS,
    NOWHERE,
    STALE,
    World,
    a_completion,
    address_of,
    completion_address,
    seen,
)
from tests.integration.front_client import PREDICT, Call, Headers, fronts, json_call

pytestmark = pytest.mark.usefixtures("patient_tiers")

AGES = {HELD_BY_BOTH: 100, HELD_BY_REDIS: 200, STALE: 4000}

bodies = st.sampled_from(
    [
        *({"task_type": "sentiment", "input": text} for text in (*AGES, NOWHERE)),
        {"task_type": "sentiment", "input": HELD_BY_BOTH, "options": {}},
        {"task_type": "sentiment", "input": HELD_BY_BOTH, "model": "openai/gpt-oss-20b"},
        {"task_type": "sentiment", "input": HELD_BY_BOTH, "options": {"nonsense": 1}},
        {"task_type": "sentiment", "input": ""},
        {"task_type": "nonsense", "input": "a"},
        {"task_type": "image_captioning", "input": "http://127.0.0.1/cat.png"},
        {"input": "a"},
        [],
        "text",
    ]
).map(lambda body: json.dumps(body).encode())

held_texts = st.sampled_from([*AGES, NOWHERE])
completions = st.one_of(
    held_texts.map(a_completion),
    held_texts.map(lambda text: {**a_completion(text), "user": "me", "temperature": 1.0}),
    held_texts.map(lambda text: {**a_completion(text), "stream": True, "stream_options": {"include_usage": True}}),
    st.sampled_from(
        [
            {"model": "nobody/nothing", "messages": [{"role": "user"}]},
            {"model": COMPLETION_MODEL, "messages": []},
            {"messages": [{"role": "user", "content": HELD_BY_BOTH}]},
            {"model": COMPLETION_MODEL, "messages": [{"role": "user", "content": "\x00"}]},
            [],
        ]
    ),
).map(lambda body: json.dumps(body).encode())

broken = st.sampled_from([b"{", b"", b"\xff", b'{"task_type": "sentiment", "input": "a", "input": "b"}', b"[" * 100])

# `only-if-cached` and `no-store` let a call that nobody can answer be made twice, with the same result.
directives = st.sampled_from(
    [
        *("only-if-cached", "ONLY-IF-CACHED", "max-age=150, only-if-cached", "max-age=0, only-if-cached", "no-store"),
        *("no-cache, only-if-cached", 'max-age="300", only-if-cached', "max-age=x, only-if-cached", "only-if-cached=1"),
        *("only-if-cached, foo=bar", "max-age=90,only-if-cached", "only-if-cached, max-age=1000", ", only-if-cached"),
        "only-if-cached," + "a," * 400,
    ]
)

others = st.lists(
    st.sampled_from(
        [
            ("x-request-id", "mine-1"),
            ("x-request-id", "not sane!"),
            ("x-request-id", ""),
            ("prefer", "wait=0"),
            ("prefer", "respond-async"),
            ("accept", "text/html"),
            ("content-encoding", "identity"),
            ("content-encoding", "gzip"),
            ("expect", "100-continue"),
            ("transfer-encoding", "gzip"),
            ("x_request_id", "under_scored"),
            ("user-agent", "\u00e9"),
            ("cookie", "a=b"),
            ("origin", "http://localhost"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            ("traceparent", "garbage"),
        ]
    ),
    max_size=3,
)

hosts = st.sampled_from(["localhost"] * 8 + ["127.0.0.1:8000", "evil.example", "", "localhost,localhost", "LOCALHOST."])
types = st.sampled_from(
    ["application/json"] * 8 + ["application/json; charset=utf-8", "APPLICATION/JSON", "text/plain", ""]
)


paddings = st.sampled_from([0] * 8 + [PARSED_HERE_BYTES, 100_000, MAX_BYTES])


@st.composite
def calls(draw: st.DrawFn) -> Call:
    # JSON may end in spaces: so a body is read in a thread, or is too large for the fast path.
    path = draw(st.sampled_from([PREDICT, PREDICT, *CHAT_COMPLETIONS]))
    valid = bodies if path == PREDICT else completions
    body = draw(st.one_of(valid, valid, valid, broken)) + b" " * draw(paddings)
    pairs = [("host", draw(hosts)), ("content-type", draw(types)), ("content-length", str(len(body)))]
    pairs += [("cache-control", draw(directives)), *draw(others)]
    if path != PREDICT:
        # Without it a call that no tier has an answer to waits for its job, and here is no worker.
        pairs = [pair for pair in pairs if pair[0] != "prefer"] + [("prefer", "respond-async")]
    return Call(
        headers=Headers(tuple(pairs)),
        body=body,
        path=path,
        method=draw(st.sampled_from(["POST"] * 9 + ["PUT"])),
        query_string=draw(st.sampled_from([""] * 9 + ["a=b"])),
        authority=draw(st.sampled_from([None] * 9 + ["localhost", "evil.example"])),
    )


@pytest.fixture
def world(installation: Installation) -> Iterator[World]:
    services = installation.services
    moment = now()
    for text, age in AGES.items():
        made_at = moment - timedelta(seconds=age)
        services.cache.freshness = replace(services.cache.freshness, clock=made_at.timestamp)
        services.cache.store(address_of(services, text), an_answer(made_at, text=text))
        completion = {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}
        services.cache.store(completion_address(services, text), an_answer(made_at, completion=completion))
    services.cache.freshness = replace(services.cache.freshness, clock=moment.timestamp)
    records: list[RequestRecord] = []
    services.request_log.buffer = records.append  # type: ignore[method-assign]  # read here instead of PostgreSQL
    with fronts(services) as (fast, slow):
        yield World(fast, slow, services, records)


@hypothesis_settings(
    max_examples=1000,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(call=calls())
def test_the_fast_path_answers_and_records_as_the_view_does(world: World, call: Call) -> None:
    fast, slow = (seen(*world.call(client, call)) for client in (world.fast, world.slow))
    assert fast == slow


@pytest.mark.parametrize(
    ("text", "directive"),
    [
        *((text, directive) for text in (HELD_BY_BOTH, HELD_BY_REDIS) for directive in ("", "max-age=1000")),
        *((text, directive) for text in AGES for directive in ("max-age=0, only-if-cached", "no-store")),
        *((NOWHERE, directive) for directive in ("only-if-cached", "")),
    ],
)
def test_a_plain_call_does_without_flask(world: World, text: str, directive: str) -> None:
    body = json.dumps({"task_type": "sentiment", "input": text}).encode()
    world.call(world.fast, json_call(body, cache_control=directive, prefer="wait=0"))
    assert world.fast.by_flask == 0


@pytest.mark.parametrize("path", CHAT_COMPLETIONS)
@pytest.mark.parametrize("text", [HELD_BY_BOTH, HELD_BY_REDIS])
def test_a_plain_chat_completion_does_without_flask(world: World, path: str, text: str) -> None:
    call = json_call(json.dumps(a_completion(text)).encode())
    received, _ = world.call(world.fast, replace(call, path=path))
    assert (received.status, world.fast.by_flask) == (200, 0)
    assert json.loads(received.body)["choices"][0]["message"]["content"] == text


def test_a_large_body_is_read_once_in_a_thread(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def reading(*arguments: Any) -> Request:
        read.append(threading.current_thread().name)
        return read_request(*arguments)

    monkeypatch.setattr(tasks, "read_request", reading)
    body = json.dumps({"task_type": "sentiment", "input": HELD_BY_BOTH}).encode() + b" " * PARSED_HERE_BYTES
    statuses = [world.call(world.fast, json_call(body))[0].status for _ in range(3)]
    assert (statuses, world.fast.by_flask, len(read)) == ([200] * 3, 0, 1)
    assert read[0].startswith("lookup")


def test_a_body_that_would_hold_up_the_event_loop_is_left_to_the_view(world: World) -> None:
    body = json.dumps({"task_type": "sentiment", "input": HELD_BY_BOTH}).encode() + b" " * MAX_BYTES
    world.call(world.fast, json_call(body))
    assert world.fast.by_flask == 1


def test_a_page_of_our_own_is_answered_without_flask_and_a_foreign_one_is_refused(world: World) -> None:
    body = json.dumps({"task_type": "sentiment", "input": HELD_BY_BOTH}).encode()
    ours, _ = world.call(world.fast, json_call(body, origin="http://localhost"))
    assert (ours.status, world.fast.by_flask) == (200, 0)
    foreign, record = world.call(world.fast, json_call(body, origin="http://localhost:3000"))
    assert (foreign.status, record and record.request) == (403, {"error": "origin_not_allowed"})


def test_a_stale_answer_that_is_refreshed_is_left_to_the_view(world: World) -> None:
    body = json.dumps({"task_type": "sentiment", "input": STALE}).encode()
    world.call(world.fast, json_call(body))
    assert world.fast.by_flask == 1
