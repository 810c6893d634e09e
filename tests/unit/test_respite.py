import pytest

from shared.errors import DatabaseUnavailable
from workers import respite as module
from workers.respite import SILENCE_PER_LEASE, SILENCE_SECONDS, Respite

LEASE = 30.0


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def sweep(respite: Respite, clock: Clock, *, after: float, takes: float = 0.0) -> bool:
    """Sweep once; say whether leases that have run out count."""
    clock.now += after
    with respite.after_outage():
        clock.now += takes
    return respite.is_over


def test_sweeps_that_come_in_time_rescue(clock: Clock) -> None:
    respite = Respite(LEASE)
    assert all(sweep(respite, clock, after=1) for _ in range(5))


def test_the_first_sweep_of_a_process_rescues(clock: Clock) -> None:
    assert sweep(Respite(LEASE), clock, after=1000)


def test_after_an_outage_of_postgresql_leases_get_their_time_again(clock: Clock) -> None:
    respite = Respite(LEASE)
    with pytest.raises(DatabaseUnavailable), respite.after_outage():
        raise DatabaseUnavailable
    rescues = [sweep(respite, clock, after=1) for _ in range(int(LEASE) + 1)]
    assert (rescues[:-2], rescues[-1]) == ([False] * (int(LEASE) - 1), True)


def test_a_sweep_that_hung_is_an_outage(clock: Clock) -> None:
    respite = Respite(LEASE)
    assert not sweep(respite, clock, after=1, takes=LEASE / 2)


def test_after_a_time_without_sweeps_leases_get_their_time_again(clock: Clock) -> None:
    respite = Respite(LEASE)
    sweep(respite, clock, after=1)
    assert not sweep(respite, clock, after=LEASE * SILENCE_PER_LEASE + 1)
    assert [sweep(respite, clock, after=1) for _ in range(40)][-1]


def test_sweeps_that_are_always_late_rescue_too(clock: Clock) -> None:
    respite = Respite(lease_seconds=2)
    assert any(sweep(respite, clock, after=SILENCE_SECONDS + 1) for _ in range(3))
