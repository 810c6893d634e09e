"""The fields of a record that is imported."""

from typing import Any

import pytest

from cli.transfer.log_records import row_of
from cli.transfer.record_fields import WrongField
from shared.request_log.rows import COLUMNS

RECORD: dict[str, Any] = {
    "id": "01a21de4-317b-748a-8cb0-83c111a10b4b",
    "at": "2026-11-27T16:43:43.867000Z",
    "client": "anonymous",
    "tenant": "default",
    "task_type": "chat",
    "cache_key": "0" * 64,
    "outcome": "redis",
    "status": 200,
    "latency_ms": 1.5,
    "job_id": None,
    "request_id": "a",
    "trace_id": "0" * 32,
    "error": None,
    "calls": 1,
    "saved": {
        "prompt_tokens": 1,
        "completion_tokens": 2,
        "total_tokens": 3,
        "cached_tokens": None,
        "cost_usd": 0.25,
        "seconds": 1.5,
    },
    "request": {"input": "hello"},
}


def test_a_record_of_the_request_log_is_a_row() -> None:
    row = dict(zip(COLUMNS, row_of(RECORD), strict=True))
    assert (row["outcome"], row["saved_ms"], row["request"]) == ("redis", 1500, {"input": "hello"})


def test_exports_of_older_versions_have_no_trace() -> None:
    record = {name: value for name, value in RECORD.items() if name != "trace_id"}
    assert dict(zip(COLUMNS, row_of(record), strict=True))["trace_id"] is None


@pytest.mark.parametrize(
    ("name", "value", "must_be"),
    [
        ("id", "0", "a UUID of version 7"),
        ("id", "3e4666bf-d5e5-4aa7-b8ce-cefe41c7568a", "a UUID of version 7"),
        ("at", "9999-99-99", "2026-"),
        ("at", "2026-11-27T16:43:43.866000Z", "2026-"),
        ("at", 0, "the time that the id tells"),
        ("client", "a\0b", "a text without NUL characters"),
        ("client", None, "a text without NUL characters"),
        ("tenant", "\ud800", "a text without NUL characters"),
        ("outcome", "hit", "one of memcached, redis,"),
        ("status", True, "an HTTP status"),
        ("status", 70_000, "an HTTP status"),
        ("latency_ms", -1e308, "a number from 0 to 2147483647"),
        ("latency_ms", float("nan"), "a number from 0"),
        ("latency_ms", 10**400, "a number from 0"),
        ("task_type", "nonsense", "one of summarization,"),
        ("cache_key", "x", "64 hexadecimal digits"),
        ("job_id", "x", "a UUID, or null"),
        ("trace_id", "x", "32 hexadecimal digits"),
        ("calls", 0, "a whole number from 1"),
        ("saved", [], "an object, or null"),
        ("request", {"input": ["a\0b"]}, "an object whose texts have no NUL characters"),
    ],
)
def test_a_wrong_field_is_named_with_what_it_must_be(name: str, value: object, must_be: str) -> None:
    with pytest.raises(WrongField, match=f"^`{name}` must be {must_be}"):
        row_of({**RECORD, name: value})


@pytest.mark.parametrize(("name", "value"), [("seconds", None), ("total_tokens", -1), ("cost_usd", "much")])
def test_a_wrong_saving_is_named(name: str, value: object) -> None:
    with pytest.raises(WrongField, match=f"^`saved\\.{name}` must be a "):
        row_of({**RECORD, "saved": {**RECORD["saved"], name: value}})


def test_a_field_that_is_missing_is_named() -> None:
    with pytest.raises(WrongField, match=r"^`calls` is missing"):
        row_of({name: value for name, value in RECORD.items() if name != "calls"})
