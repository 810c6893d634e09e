from collections.abc import Iterator

import pytest
from examples import StoppedClock, stop_clock

from shared.errors import DatabaseUnavailable, TransactionConflict
from workers.maintenance import lease_grace as module
from workers.maintenance.lease_grace import SILENCE_PER_LEASE, SILENCE_SECONDS, LeaseGracePeriod

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


def sweep(respite: LeaseGracePeriod, clock: StoppedClock, *, after: float, takes: float = 0.0) -> bool:
    """Sweep once; say whether leases that have run out count."""
    clock.now += after
    with respite.round():
        list(respite.watch(step(clock, takes)))
    return respite.is_over


def test_sweeps_that_come_in_time_rescue(clock: StoppedClock) -> None:
    respite = LeaseGracePeriod(LEASE)
    assert all(sweep(respite, clock, after=1) for _ in range(5))


def test_the_first_sweep_of_a_process_rescues(clock: StoppedClock) -> None:
    assert sweep(LeaseGracePeriod(LEASE), clock, after=1000)


def test_after_an_outage_of_postgresql_leases_get_their_time_again(clock: StoppedClock) -> None:
    respite = LeaseGracePeriod(LEASE)
    with pytest.raises(DatabaseUnavailable), respite.round():
        list(respite.watch(away()))
    rescues = [sweep(respite, clock, after=1) for _ in range(int(LEASE) + 1)]
    assert (rescues[:-2], rescues[-1]) == ([False] * (int(LEASE) - 1), True)


def test_a_sweep_that_hung_is_an_outage(clock: StoppedClock) -> None:
    respite = LeaseGracePeriod(LEASE)
    assert not sweep(respite, clock, after=1, takes=LEASE / 2)


def test_a_long_round_of_short_steps_is_none(clock: StoppedClock) -> None:
    respite = LeaseGracePeriod(LEASE)
    with respite.round():
        for _ in range(60):
            list(respite.watch(step(clock, 1)))
    assert sweep(respite, clock, after=1)


def test_a_conflict_is_none(clock: StoppedClock) -> None:
    respite = LeaseGracePeriod(LEASE)
    with pytest.raises(TransactionConflict), respite.round():
        list(respite.watch(conflict()))
    assert sweep(respite, clock, after=1)


def test_after_a_time_without_sweeps_leases_get_their_time_again(clock: StoppedClock) -> None:
    respite = LeaseGracePeriod(LEASE)
    sweep(respite, clock, after=1)
    assert not sweep(respite, clock, after=LEASE * SILENCE_PER_LEASE + 1)
    assert [sweep(respite, clock, after=1) for _ in range(40)][-1]


def test_sweeps_that_are_always_late_rescue_too(clock: StoppedClock) -> None:
    respite = LeaseGracePeriod(lease_seconds=2)
    assert any(sweep(respite, clock, after=SILENCE_SECONDS + 1) for _ in range(3))
