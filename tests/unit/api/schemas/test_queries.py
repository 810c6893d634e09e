"""What a query string may say."""

from datetime import UTC, datetime

import pytest

from api.schemas.queries import EARLIEST, LATEST, RequestListQuery


def start(text: str) -> datetime:
    found: datetime = RequestListQuery().load({"from": text})["start"]
    return found


@pytest.mark.parametrize("text", ["0001-01-01", "1969-12-31T23:59:59Z", "1970-01-01T00:00:00+14:00"])
def test_a_time_before_all_records_is_taken_as_the_earliest(text: str) -> None:
    assert start(text) == EARLIEST


@pytest.mark.parametrize("text", ["9999-12-31", "9999-12-31T23:59:59-14:00"])
def test_a_time_after_all_records_is_taken_as_the_latest(text: str) -> None:
    assert start(text) == LATEST


def test_a_time_may_be_in_lower_case_as_in_the_rfc() -> None:
    assert start("2026-11-24t18:00:00z") == datetime(2026, 11, 24, 18, tzinfo=UTC)
