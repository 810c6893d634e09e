from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.providers.headers import MAX_SECONDS, parse_retry_after, seconds_to_wait

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 7.66 ", 7.66),
        ("Sun, 22 Nov 2026 12:00:30 GMT", 30.0),
        ("Sun, 22 Nov 2026 12:00:30 -0000", 30.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("99999999999", MAX_SECONDS),
        ("9" * 400, None),
        ("-1", None),
        ("1e3", None),
        ("nan", None),
        ("soon", None),
        ("", None),
        ("\u0661", None),
        ("Sun, 99 Nov 2026 12:00:30 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert parse_retry_after(value, NOW) == seconds


@given(st.text())
def test_any_value_gives_a_bounded_wait_or_none(value: str) -> None:
    seconds = parse_retry_after(value, NOW)
    assert seconds is None or 0 <= seconds <= MAX_SECONDS


@given(st.from_regex(r"\A[A-Z][a-z]{2}, [0-9]{1,3} [A-Z][a-z]{2} [0-9]{1,12} [0-9:]{1,12} [-+A-Z0-9]{1,9}\Z"))
def test_anything_like_a_date_gives_a_bounded_wait_or_none(value: str) -> None:
    seconds = parse_retry_after(value, NOW)
    assert seconds is None or 0 <= seconds <= MAX_SECONDS


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_date_means_the_seconds_until_then(date: datetime) -> None:
    expected = (date.replace(microsecond=0) - NOW).total_seconds()
    assert parse_retry_after(format_datetime(date, usegmt=True), NOW) == min(max(expected, 0.0), MAX_SECONDS)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"RateLimit": '"api";r=0;t=55'}, 55.0),
        ({"RateLimit": '"api";r=0; t=55, "other";r=1;t=9'}, 55.0),
        ({"RateLimit": '"api";r=0;t=55', "Retry-After": "3"}, 3.0),
        ({"RateLimit": '"api";r=0;t=55', "Retry-After": "soon"}, 55.0),
        ({"RateLimit": '"api";r=0'}, None),
        ({}, None),
    ],
)
def test_retry_after_goes_before_rate_limit(headers: dict[str, str], seconds: float | None) -> None:
    assert seconds_to_wait(headers, NOW) == seconds
