from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.statistics.periods import BUCKETS, Bucket, Period, between, last_days

NOW = datetime(2026, 11, 24, 13, 45, tzinfo=UTC)
moments = st.datetimes(datetime(1970, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  hypothesis adds the zone
buckets = st.sampled_from(sorted(BUCKETS))


def test_one_day_is_today() -> None:
    assert last_days(1, "day", NOW) == Period(
        datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC), "day"
    )


def test_midnight_belongs_to_the_day_that_begins() -> None:
    midnight = datetime(2026, 11, 24, tzinfo=UTC)
    assert last_days(1, "hour", midnight).start == midnight


def test_a_time_is_widened_to_whole_buckets() -> None:
    found = between(NOW, NOW + timedelta(hours=1), "hour", NOW, 7)
    assert (found.start.hour, found.end.hour) == (13, 15)


def test_without_an_end_the_current_bucket_is_the_last() -> None:
    assert between(NOW, None, "hour", NOW, 7).end == NOW.replace(hour=14, minute=0)


def test_without_a_start_some_days_before_the_end_are_covered() -> None:
    found = between(None, NOW, "day", NOW, 7)
    assert found.end - found.start == timedelta(days=7)


@given(moments, moments, buckets)
def test_a_period_covers_what_was_asked_for_and_less_than_two_buckets_more(
    one: datetime, other: datetime, bucket: Bucket
) -> None:
    start, size = one, BUCKETS[bucket]
    end = one + (other - one) % timedelta(days=30) + timedelta(microseconds=1)
    found = between(start, end, bucket, NOW, 7)
    assert found.start <= start < end <= found.end
    assert found.end - found.start < end - start + 2 * size


@given(moments, buckets)
def test_bounds_are_bounds_of_a_bucket(moment: datetime, bucket: Bucket) -> None:
    found = between(moment, moment + timedelta(seconds=1), bucket, NOW, 7)
    midnight = datetime(1970, 1, 1, tzinfo=UTC)
    assert (found.start - midnight) % BUCKETS[bucket] == (found.end - midnight) % BUCKETS[bucket] == timedelta(0)


@pytest.mark.parametrize("end", [NOW, NOW - timedelta(seconds=1), NOW - timedelta(days=9)])
def test_a_time_that_does_not_last_is_refused(end: datetime) -> None:
    with pytest.raises(ValueError, match="before"):
        between(NOW, end, "hour", NOW, 7)


@pytest.mark.parametrize(("bucket", "days"), [("hour", 33), ("day", 367)])
def test_a_time_too_long_for_its_buckets_is_refused(bucket: Bucket, days: int) -> None:
    with pytest.raises(ValueError, match="must cover at most"):
        between(NOW - timedelta(days=days), NOW, bucket, NOW, 7)
    with pytest.raises(ValueError, match="must cover at most"):
        last_days(days, bucket, NOW)
