"""The gauge of what waits goes by its last count while PostgreSQL can't count in time."""

from contextlib import suppress

import pytest
from examples import StoppedClock, stop_clock

from api.jobs import gauge as module
from api.jobs.gauge import DEAR_SHARE, KEPT_SECONDS, ROOMY_SECONDS, SHOWN_SECONDS, Count, Gauge
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


def test_what_waits_and_who_was_refused_is_known_as_long_as_it_was_counted_lately(clock: StoppedClock) -> None:
    jobs = gauge(Counting(clock, LIMIT - 1, LIMIT))
    assert (jobs.waiting, jobs.refused_total) == (None, 0)
    take(jobs)
    assert (jobs.waiting, jobs.refused_total) == (LIMIT, 0)
    clock.now += KEPT_SECONDS
    with pytest.raises(QueueFull):
        take(jobs)
    assert (jobs.waiting, jobs.refused_total) == (LIMIT, 1)
    clock.now += SHOWN_SECONDS + 1
    assert (jobs.waiting, jobs.refused_total) == (None, 1)


def said_of(jobs: Gauge, clock: StoppedClock, caplog: pytest.LogCaptureFixture, *times: float) -> list[str]:
    """Let jobs come at these seconds, of which those that find no room are refused; return what is logged."""
    for moment in times:
        clock.now = moment
        with suppress(QueueFull):
            take(jobs)
    return [record.message for record in caplog.records]


def test_a_queue_that_hovers_at_its_limit_is_called_full_once(
    clock: StoppedClock, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = gauge(Counting(clock, *[LIMIT, 0] * 20))
    times = [clock.now + second * 2 for second in range(40)]
    assert said_of(jobs, clock, caplog, *times) == ["Queue full: new jobs are refused"]


def test_a_queue_that_has_refused_nobody_for_a_minute_has_room_again(
    clock: StoppedClock, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = gauge(Counting(clock, LIMIT, 0, 0, LIMIT))
    times = [clock.now, clock.now + ROOMY_SECONDS - 1, clock.now + ROOMY_SECONDS, clock.now + ROOMY_SECONDS * 2]
    assert said_of(jobs, clock, caplog, *times) == [
        "Queue full: new jobs are refused",
        "Queue has room again",
        "Queue full: new jobs are refused",
    ]


def test_a_queue_that_was_never_full_says_nothing(clock: StoppedClock, caplog: pytest.LogCaptureFixture) -> None:
    jobs = gauge(Counting(clock, 0, 0))
    assert said_of(jobs, clock, caplog, clock.now, clock.now + ROOMY_SECONDS * 2) == []
