"""Records of every format, as calls."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.estimate.call import ENTRY_BYTES, Call, seconds_of
from cli.estimate.formats import call_of
from cli.estimate.texts import shown
from shared.domain.answer import Usage
from tests.unit.cli.estimate.logs import KEYS, NOON, chat, completion, spend_row

NAMES = [
    *(
        "request",
        "response",
        "body",
        "messages",
        "input",
        "model",
        "usage",
        "startTime",
        "endTime",
        "spend",
        "call_type",
    ),
    *(
        "proxy_server_request",
        "metadata",
        "cache_key",
        "outcome",
        "saved",
        "at",
        "custom_id",
        "url",
        "choices",
        "message",
    ),
    *("prompt_tokens", "completion_tokens", "status", "error", "timestamp", "duration", "task_type", "content"),
]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(NAMES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=12,
)


def call(record: dict[str, Any]) -> Call:
    found = call_of(record)
    assert found is not None
    return found


@given(st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=8))
def test_any_record_is_a_call_with_a_key_or_is_none(record: dict[str, Any]) -> None:
    found = call_of(record)
    if found is not None:
        KEYS.of(found, 0)
        shown(found.body or {})


def test_a_row_of_litellms_spend_log() -> None:
    assert call(spend_row(took=2.5)) == Call(
        format="litellm",
        body=chat(model="mini"),
        model="gpt-5-mini",
        provider="openai",
        at=NOON.timestamp(),
        seconds=2.5,
        usage=Usage(20, 10),
        spend=0.25,
        answer_bytes=ENTRY_BYTES + 40,
    )


def test_json_columns_may_be_texts() -> None:
    assert call(spend_row(proxy_server_request=json.dumps(chat("a")))).body == chat("a")


def test_without_bodies_litellms_cache_key_is_the_digest() -> None:
    found = call(spend_row(body={}, cache_key="a1"))
    assert (found.body, found.digest) == (None, "a1")


def test_where_litellms_cache_is_off_there_is_no_digest() -> None:
    assert call(spend_row(body={})).digest is None


def test_older_rows_have_their_messages_in_a_column_of_their_own() -> None:
    messages = [{"role": "user", "content": "a"}]
    assert call(spend_row(body={}, messages=messages)).body == {"model": "mini", "messages": messages}


@pytest.mark.parametrize("hit", ["True", "true", True])
def test_a_hit_of_litellms_cache_was_free(hit: object) -> None:
    assert call(spend_row(cache_hit=hit)).free


def test_a_failed_call_is_known() -> None:
    assert call(spend_row(status="failure")).failed


def test_tokens_that_the_provider_knew_are_in_the_metadata() -> None:
    values = {"prompt_tokens_details": {"cached_tokens": 15}}
    assert call(spend_row(metadata={"additional_usage_values": values})).usage == Usage(20, 10, None, 15)


@pytest.mark.parametrize(("call_type", "kind"), [("aembedding", "embeddings"), ("aresponses", "response")])
def test_the_type_of_a_call_says_what_its_body_is_for(call_type: str, kind: str) -> None:
    assert call(spend_row(body={"model": "m", "input": "a"}, call_type=call_type)).kind == kind


def test_an_answer_that_was_cut_is_not_kept() -> None:
    assert not call(spend_row(response=completion(reason="length"))).keeps


def test_an_envelope_has_request_response_and_time() -> None:
    received = completion("héllo", prompt_tokens=5, completion_tokens=3, prompt_tokens_details={"cached_tokens": 2})
    record = {"timestamp": 1_764_000_000, "duration_ms": 1500, "request": chat(), "response": received}
    assert call(record) == Call(
        format="openai",
        body=chat(),
        model=chat()["model"],
        at=1_764_000_000.0,
        seconds=1.5,
        usage=Usage(5, 3, None, 2),
        answer_bytes=ENTRY_BYTES + 6,
    )


def test_a_body_alone_is_a_call() -> None:
    assert call(chat()).body == chat()


def test_a_line_of_a_batch_has_its_body_and_address() -> None:
    body = {"model": "m", "input": "a"}
    found = call({"custom_id": "1", "method": "POST", "url": "/v1/embeddings", "body": body})
    assert (found.format, found.kind, found.body) == ("openai batch", "embeddings", body)


def test_a_line_of_a_batchs_output_has_no_question() -> None:
    response = {"status_code": 200, "body": completion(prompt_tokens=5, completion_tokens=3)}
    found = call({"id": "b", "custom_id": "1", "response": response, "error": None})
    assert (found.body, found.usage.prompt_tokens, found.failed) == (None, 5, False)


@pytest.mark.parametrize("wrong", [{"response": {"status_code": 429, "body": {}}}, {"error": {"code": "x"}}])
def test_a_refused_call_has_failed(wrong: dict[str, Any]) -> None:
    assert call({"request": chat(), **wrong}).failed


def test_a_record_of_our_own_log_has_its_key() -> None:
    saved = {"prompt_tokens": 9, "completion_tokens": 4, "cached_tokens": None, "seconds": 0.5}
    record = {
        "at": NOON.isoformat(),
        "cache_key": "ab",
        "outcome": "redis",
        "status": 200,
        "saved": saved,
    }
    found = call(record)
    assert (found.digest, found.seconds, found.usage.prompt_tokens) == ("ab", 0.5, 9)


@pytest.mark.parametrize("refused", [{"outcome": "error", "status": 422}, {"outcome": "miss", "status": 504}])
def test_a_refused_call_of_our_own_log_has_failed(refused: dict[str, Any]) -> None:
    assert call({"cache_key": "ab", **refused}).failed


def test_what_is_no_call_is_none() -> None:
    assert call_of({"level": "info", "message": "started"}) is None


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-24T12:00:00Z",
        "2026-11-24 12:00:00",
        "2026-11-24T13:00:00+01:00",
        1795521600,
        1795521600000,
        1795521600e9,
    ],
)
def test_times_are_read_in_every_usual_form(written: object) -> None:
    assert seconds_of(written) == NOON.timestamp()


@pytest.mark.parametrize("wrong", ["soon", "", None, True, -1, 0, 1e30, float("nan"), "9999-12-31T23:59:59-23:59", []])
def test_what_is_no_time_is_none(wrong: object) -> None:
    assert seconds_of(wrong) is None or wrong == "9999-12-31T23:59:59-23:59"
