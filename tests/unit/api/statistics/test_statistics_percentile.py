import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.statistics.report import percentile
from shared.request_log.aggregates import LATENCY_BOUNDS_MS

HISTOGRAMS = st.lists(
    st.integers(0, 1000), min_size=len(LATENCY_BOUNDS_MS) + 1, max_size=len(LATENCY_BOUNDS_MS) + 1
).filter(any)
SHARES = st.floats(0.01, 1)


def histogram(**counts: int) -> list[int]:
    """Return a histogram with these counts, by number of bucket."""
    return [counts.get(f"b{number}", 0) for number in range(len(LATENCY_BOUNDS_MS) + 1)]


def test_the_bounds_rise() -> None:
    assert list(LATENCY_BOUNDS_MS) == sorted(set(LATENCY_BOUNDS_MS))


def test_without_requests_there_is_no_percentile() -> None:
    assert percentile(histogram(), 0.5) is None


def test_half_of_the_first_bucket_is_half_its_width() -> None:
    assert percentile(histogram(b0=10), 0.5) == LATENCY_BOUNDS_MS[0] / 2


def test_all_of_a_bucket_is_its_upper_bound() -> None:
    assert percentile(histogram(b3=10), 1) == LATENCY_BOUNDS_MS[3]


def test_empty_buckets_are_passed_over() -> None:
    assert percentile(histogram(b0=1, b10=1), 0.5) == LATENCY_BOUNDS_MS[0]


def test_what_is_above_the_last_bound_counts_as_the_last_bound() -> None:
    assert percentile(histogram(b0=1, b24=99), 0.5) == LATENCY_BOUNDS_MS[-1]


@pytest.mark.parametrize(("share", "expected"), [(0.5, 2.0), (0.95, 2.9), (0.99, 2.98)])
def test_within_a_bucket_it_is_interpolated(share: float, expected: float) -> None:
    assert percentile(histogram(b2=50, b3=50), share) == expected


@given(HISTOGRAMS, SHARES)
def test_it_lies_within_the_bounds(buckets: list[int], share: float) -> None:
    found = percentile(buckets, share)
    assert found is not None
    assert 0 <= found <= LATENCY_BOUNDS_MS[-1]


@given(HISTOGRAMS, SHARES, SHARES)
def test_a_greater_share_is_no_faster(buckets: list[int], one: float, other: float) -> None:
    lower, upper = (percentile(buckets, share) or 0 for share in sorted((one, other)))
    assert lower <= upper


@given(HISTOGRAMS, SHARES, st.integers(2, 1000))
def test_only_the_shape_counts(buckets: list[int], share: float, times: int) -> None:
    many = percentile([count * times for count in buckets], share)
    assert many == pytest.approx(percentile(buckets, share), abs=0.002)
