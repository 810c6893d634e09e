"""The gauge of what waits goes by its last count while PostgreSQL can't count in time."""

import pytest
from examples import StoppedClock, stop_clock

from api.jobs import queue_limits as module
from api.jobs.queue_limits import DEAR_SHARE, KEPT_SECONDS, Count, Gauge
from shared.errors import QueueFull, StatementOverdue

LIMIT = 3
OVERDUE_SECONDS = 1.5


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> StoppedClock:
    return stop_clock(module, monkeypatch)


class Counting:
    """Finds these counts, one after the other; None stands for one that takes too long."""

    def __init__(self, clock: StoppedClock, *counts: int | None) -> None:
        self._clock = clock
        self.left = list(counts)

    def __call__(self) -> Count:
        value = self.left.pop(0)
        if value is None:
            self._clock.now += OVERDUE_SECONDS
            raise StatementOverdue
        return Count(value, self._clock.now, 0.0)


def gauge(counting: Counting) -> Gauge:
    return Gauge("jobs", LIMIT, counting, "{} wait")


def take(jobs: Gauge) -> None:
    jobs.take(1)
    jobs.settle(1, used=True)


def test_nobody_is_let_in_before_there_is_a_count(clock: StoppedClock) -> None:
    with pytest.raises(StatementOverdue):
        take(gauge(Counting(clock, None)))


def test_the_last_count_holds_when_a_new_one_takes_too_long(clock: StoppedClock) -> None:
    counting = Counting(clock, LIMIT - 2, None)
    jobs = gauge(counting)
    take(jobs)
    clock.now += KEPT_SECONDS
    take(jobs)
    assert counting.left == []


def test_what_was_added_since_the_last_count_is_not_forgotten(clock: StoppedClock) -> None:
    jobs = gauge(Counting(clock, LIMIT - 2, None, None))
    take(jobs)
    clock.now += KEPT_SECONDS
    take(jobs)
    with pytest.raises(QueueFull):
        take(jobs)


def test_a_count_that_took_too_long_is_not_tried_again_at_once(clock: StoppedClock) -> None:
    counting = Counting(clock, 0, None, 0)
    jobs = gauge(counting)
    take(jobs)
    clock.now += KEPT_SECONDS
    for _ in range(LIMIT - 1):
        take(jobs)
        clock.now += OVERDUE_SECONDS
    assert counting.left == [0]
    clock.now += OVERDUE_SECONDS / DEAR_SHARE
    take(jobs)
    assert counting.left == []
