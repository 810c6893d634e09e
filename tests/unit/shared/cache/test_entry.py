import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from examples import ANSWER, NOON
from hypothesis import example, given
from hypothesis import strategies as st

from shared.cache.entry import Entry, decode, encode
from shared.domain.answer import Answer, Usage

KEY = "a" * 64
ENTRY = Entry(ANSWER, NOON.timestamp() + 300.5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)


def fields() -> dict[str, object]:
    found: dict[str, object] = json.loads(encode(KEY, ENTRY))
    return found


def decoded(**changes: object) -> Entry | None:
    return decode(KEY, json.dumps({**fields(), **changes}).encode())


def test_what_was_written_is_read_back() -> None:
    assert decode(KEY, encode(KEY, ENTRY)) == ENTRY


def test_microseconds_survive() -> None:
    entry = Entry(replace(ANSWER, completed_at=NOON.replace(microsecond=123456)), 1.5)
    assert decode(KEY, encode(KEY, entry)) == entry


def test_an_entry_of_another_key_is_a_miss() -> None:
    assert decode("b" * 64, encode(KEY, ENTRY)) is None


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_an_entry_of_another_version_is_a_miss(version: object) -> None:
    assert decoded(version=version) is None


@pytest.mark.parametrize("result", [None, "text", [], 1])
def test_an_entry_whose_result_is_no_object_is_a_miss(result: object) -> None:
    assert decoded(result=result) is None


def test_a_time_without_its_zone_is_a_miss() -> None:
    assert decoded(completed_at="2026-01-02T12:00:00") is None


@pytest.mark.parametrize("name", ["created_at", "started_at", "completed_at"])
@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_time_that_utc_does_not_have_is_a_miss(name: str, time: str) -> None:
    assert decoded(**{name: time}) is None


def test_cached_tokens_survive() -> None:
    entry = replace(ENTRY, answer=replace(ANSWER, usage=Usage(12, 3, 15, cached_tokens=8)))
    assert decode(KEY, encode(KEY, entry)) == entry


def test_an_entry_from_before_cached_tokens_were_counted_is_read() -> None:
    found = fields()
    del found["cached_tokens"]
    assert decode(KEY, json.dumps(found).encode()) == ENTRY


def test_a_version_that_knows_no_cached_tokens_can_read_an_entry() -> None:
    assert fields()["usage"] == {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}


@pytest.mark.parametrize("name", [name for name in json.loads(encode(KEY, ENTRY)) if name != "cached_tokens"])
def test_an_entry_with_a_part_missing_is_a_miss(name: str) -> None:
    found = fields()
    del found[name]
    assert decode(KEY, json.dumps(found).encode()) is None


@pytest.mark.parametrize("value", [b"", b"null", b"[]", b"\x80\x04\x95", b"\xff\xfe", b"[" * 100_000, b"{}"])
def test_foreign_bytes_are_a_miss(value: bytes) -> None:
    assert decode(KEY, value) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_an_entry_or_a_miss(value: bytes) -> None:
    assert decode(KEY, value) is None


def assert_usable(entry: Entry | None) -> None:
    """An entry that is read can be judged, sent and recorded: one that can't would fail every call for its key."""
    if entry is None:
        return
    assert math.isfinite(entry.expires_at)
    answer = entry.answer
    tokens = (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens)
    counts = [
        *tokens,
        answer.usage.cached_tokens,
        (answer.completed_at - answer.started_at) / timedelta(milliseconds=1),
    ]
    assert all(count is None or 0 <= count < 2**31 for count in counts)
    json.dumps(answer.result, allow_nan=False)
    assert decode(KEY, encode(KEY, entry)) is not None


@given(st.sampled_from(list(json.loads(encode(KEY, ENTRY)))), JSON)
@example("expires_at", math.nan)
@example("expires_at", math.inf)
@example("result", {"score": math.nan})
@example("completed_at", "2026-01-02T11:59:58Z")
@example("started_at", "0001-01-01T00:00:00Z")
@example("cached_tokens", "8")
@example("cached_tokens", 2**31)
@example("result", {"summary": "\ud800"})
@example("model", "\ud800")
def test_an_entry_with_any_part_replaced_can_be_used_or_is_a_miss(name: str, value: object) -> None:
    assert_usable(decoded(**{name: value}))


@given(st.dictionaries(st.sampled_from(["prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens"]), JSON))
@example({"prompt_tokens": "12"})
@example({"prompt_tokens": 2**31})
@example({"prompt_tokens": -1})
@example({"prompt_tokens": True})
def test_an_entry_with_other_counts_can_be_used_or_is_a_miss(counts: dict[str, object]) -> None:
    assert_usable(decoded(usage={"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15, **counts}))


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
COUNT = st.none() | st.integers(0, 2**31 - 1)
MOMENT = st.datetimes(datetime(1990, 1, 1), datetime(2990, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  hypothesis adds the zone
ENTRIES = st.builds(
    lambda end, seconds, **parts: Entry(
        Answer(**parts["answer"], created_at=end - 2 * seconds, started_at=end - seconds, completed_at=end),
        parts["expires_at"],
        parts["by_fallback"],
    ),
    MOMENT,
    st.timedeltas(timedelta(0), timedelta(hours=2)),
    answer=st.fixed_dictionaries(
        {
            "job_id": st.uuids(),
            "task_type": TEXT,
            "provider": TEXT,
            "model": TEXT,
            "result": st.dictionaries(TEXT, TEXT | st.integers() | st.floats(allow_nan=False, allow_infinity=False)),
            "usage": st.builds(Usage, COUNT, COUNT, COUNT, COUNT),
            "attempts": st.integers(1, 100),
        }
    ),
    expires_at=st.floats(0, 1e11),
    by_fallback=st.booleans(),
)


@given(ENTRIES)
def test_whatever_was_written_is_read_back(entry: Entry) -> None:
    assert decode(KEY, encode(KEY, entry)) == entry
    assert decode("b" * 64, encode(KEY, entry)) is None


@pytest.mark.parametrize("changes", [{"attempts": float("inf")}, {"expires_at": 10**400}])
def test_a_number_out_of_range_is_a_miss(changes: dict[str, object]) -> None:
    assert decoded(**changes) is None


@given(st.data())
def test_a_damaged_entry_is_read_or_a_miss(data: st.DataObject) -> None:
    value = encode(KEY, ENTRY)
    at = data.draw(st.integers(0, len(value) - 1))
    damaged = value[:at] + data.draw(st.binary(max_size=3)) + value[at + data.draw(st.integers(0, 5)) :]
    assert_usable(decode(KEY, damaged))
