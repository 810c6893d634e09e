import json
from dataclasses import replace

import pytest
from examples import ANSWER, NOON
from hypothesis import given
from hypothesis import strategies as st

from shared.cache.entry import Entry, decode, encode
from shared.domain.answer import Usage

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


@given(st.sampled_from(list(json.loads(encode(KEY, ENTRY)))), JSON)
def test_an_entry_with_any_part_replaced_is_read_or_a_miss(name: str, value: object) -> None:
    found = decoded(**{name: value})
    assert found is None or isinstance(found, Entry)


@pytest.mark.parametrize("changes", [{"attempts": float("inf")}, {"expires_at": 10**400}])
def test_a_number_out_of_range_is_a_miss(changes: dict[str, object]) -> None:
    assert decoded(**changes) is None


@given(st.data())
def test_a_damaged_entry_is_read_or_a_miss(data: st.DataObject) -> None:
    value = encode(KEY, ENTRY)
    at = data.draw(st.integers(0, len(value) - 1))
    damaged = value[:at] + data.draw(st.binary(max_size=3)) + value[at + data.draw(st.integers(0, 5)) :]
    found = decode(KEY, damaged)
    assert found is None or isinstance(found, Entry)
