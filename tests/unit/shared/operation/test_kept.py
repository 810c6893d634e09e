"""A reading that many share."""

import pytest
from examples import StoppedClock, stop_clock

from shared.operation import operation
from shared.operation.operation import Kept


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> StoppedClock:
    return stop_clock(operation, monkeypatch)


def test_a_reading_is_kept_for_a_second(clock: StoppedClock) -> None:
    numbers = iter(range(9))
    kept = Kept(lambda: next(numbers))
    assert (kept.read(), kept.read()) == (0, 0)
    clock.now += 0.9
    assert kept.read() == 0
    clock.now += 0.2
    assert kept.read() == 1


def test_what_takes_long_is_read_seldom(clock: StoppedClock) -> None:
    readings = []

    def read() -> int:
        readings.append(clock.now)
        clock.now += 1.0
        return len(readings)

    kept = Kept(read)
    kept.read()
    clock.now += 15.0
    assert kept.read() == 1
    clock.now += 5.0
    assert kept.read() == 2


def test_an_error_is_not_kept(clock: StoppedClock) -> None:
    del clock
    outcomes = iter([ValueError("away"), 7])

    def read() -> int:
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    kept = Kept(read)
    with pytest.raises(ValueError, match="away"):
        kept.read()
    assert kept.read() == 7
