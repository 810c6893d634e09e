from collections.abc import Iterator

import pytest
from examples import StoppedClock, stop_clock

from shared.errors import DatabaseUnavailable, TransactionConflict
from workers.maintenance import lease_grace as module
from workers.maintenance.lease_grace import RETURN_SECONDS, SILENCE_PER_LEASE, SILENCE_SECONDS, LeaseGracePeriod

LEASE = 30.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> StoppedClock:
    return stop_clock(module, monkeypatch)


def step(clock: StoppedClock, takes: float) -> Iterator[int]:
    clock.now += takes
    yield 1


def away() -> Iterator[int]:
    raise DatabaseUnavailable
    yield


def conflict() -> Iterator[int]:
    raise TransactionConflict
    yield


def sweep(grace: LeaseGracePeriod, clock: StoppedClock, *, after: float, takes: float = 0.0) -> bool:
    """Sweep once; say whether leases that have run out count."""
    clock.now += after
    with grace.round():
        list(grace.watch(step(clock, takes)))
    return grace.is_over


def test_sweeps_that_come_in_time_rescue(clock: StoppedClock) -> None:
    grace = LeaseGracePeriod(LEASE)
    assert all(sweep(grace, clock, after=1) for _ in range(5))


def test_the_first_sweep_of_a_process_rescues(clock: StoppedClock) -> None:
    assert sweep(LeaseGracePeriod(LEASE), clock, after=1000)


def test_after_an_outage_of_postgresql_leases_get_their_time_again(clock: StoppedClock) -> None:
    grace = LeaseGracePeriod(LEASE)
    with pytest.raises(DatabaseUnavailable), grace.round():
        list(grace.watch(away()))
    seconds = int(LEASE + RETURN_SECONDS)
    rescues = [sweep(grace, clock, after=1) for _ in range(seconds + 1)]
    assert (rescues[:-2], rescues[-1]) == ([False] * (seconds - 1), True)


def test_a_sweep_that_hung_is_an_outage(clock: StoppedClock) -> None:
    grace = LeaseGracePeriod(LEASE)
    assert not sweep(grace, clock, after=1, takes=LEASE / 2)


def test_a_long_round_of_short_steps_is_none(clock: StoppedClock) -> None:
    grace = LeaseGracePeriod(LEASE)
    with grace.round():
        for _ in range(60):
            list(grace.watch(step(clock, 1)))
    assert sweep(grace, clock, after=1)


def test_a_conflict_is_none(clock: StoppedClock) -> None:
    grace = LeaseGracePeriod(LEASE)
    with pytest.raises(TransactionConflict), grace.round():
        list(grace.watch(conflict()))
    assert sweep(grace, clock, after=1)


def test_after_a_time_without_sweeps_leases_get_their_time_again(clock: StoppedClock) -> None:
    grace = LeaseGracePeriod(LEASE)
    sweep(grace, clock, after=1)
    assert not sweep(grace, clock, after=LEASE * SILENCE_PER_LEASE + 1)
    assert [sweep(grace, clock, after=1) for _ in range(40)][-1]


def test_sweeps_that_are_always_late_rescue_too(clock: StoppedClock) -> None:
    grace = LeaseGracePeriod(lease_seconds=2)
    assert any(sweep(grace, clock, after=SILENCE_SECONDS + 1) for _ in range(3))


def test_sweeps_that_are_slow_again_and_again_rescue_too(clock: StoppedClock) -> None:
    grace = LeaseGracePeriod(lease_seconds=2)
    sweep(grace, clock, after=1, takes=1)
    clock.now += 2
    assert grace.is_over
