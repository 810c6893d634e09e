"""Calls in the order of their times."""

from hypothesis import given
from hypothesis import strategies as st

from cli.estimate.asks import Ask, Sorter

NUMBERS = st.integers(0, 2**31 - 1)
ASKS = st.lists(
    st.builds(
        Ask,
        at=st.integers(0, 50),
        number=NUMBERS,
        key=st.binary(min_size=16, max_size=16),
        took=NUMBERS,
        size=NUMBERS,
        prompt=NUMBERS,
        completion=NUMBERS,
        cached=NUMBERS,
        spend=st.floats(0, 1e6),
        model=st.integers(0, 1000),
        flags=st.integers(0, 15),
    ),
    max_size=40,
    unique_by=lambda ask: ask.number,
)


@given(ASKS, st.integers(1, 9))
def test_they_come_back_by_time_and_then_by_number(asks: list[Ask], run: int) -> None:
    with Sorter(run) as sorter:
        for ask in asks:
            sorter.add(ask)
        assert list(sorter.sorted()) == sorted(asks, key=lambda ask: (ask.at, ask.number))
