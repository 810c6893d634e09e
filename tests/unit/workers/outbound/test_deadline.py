from threading import Event, Timer, current_thread
from time import monotonic

import pytest

from workers.jobs.stop import ClaimLost, Stop
from workers.outbound.deadline import GRACE_SECONDS, has_passed, prolong, time_left, within


def test_what_the_call_returns_comes_back() -> None:
    assert within(5, lambda: 7) == 7


def test_what_the_call_raises_comes_back() -> None:
    def call() -> None:
        message = "no"
        raise KeyError(message)

    with pytest.raises(KeyError, match="no"):
        within(5, call)


def test_the_caller_waits_no_longer_than_the_deadline_for_a_stuck_call() -> None:
    stuck = Event()
    start = monotonic()
    with pytest.raises(TimeoutError):
        within(0.05, stuck.wait)
    stuck.set()
    assert 0.05 <= monotonic() - start < 0.05 + GRACE_SECONDS + 0.5


def test_the_call_knows_the_time_it_has_left() -> None:
    left = within(5, time_left)
    assert left is not None
    assert 4 < left <= 5


def test_a_call_that_goes_on_too_long_learns_that_no_time_is_left() -> None:
    def call() -> float | None:
        while True:
            time_left()

    with pytest.raises(TimeoutError, match="the deadline of this call has passed"):
        within(0.02, call)


def test_a_call_that_prolongs_its_deadline_is_waited_for() -> None:
    def call() -> str:
        prolong(60, within=60)
        Event().wait(0.05 + 2 * GRACE_SECONDS)
        return "whole"

    assert within(0.05, call) == "whole"


def test_no_call_prolongs_its_deadline_beyond_the_time_that_it_has_in_all() -> None:
    def call() -> None:
        while True:
            time_left()
            prolong(60, within=0.1)

    with pytest.raises(TimeoutError, match="the deadline of this call has passed"):
        within(0.05, call)


def test_a_deadline_that_has_passed_is_not_prolonged() -> None:
    def call() -> bool:
        while not has_passed():
            pass
        prolong(60, within=60)
        return has_passed()

    assert within(0.02, call)


def test_without_a_deadline_there_is_no_end() -> None:
    assert time_left() is None
    assert not has_passed()


def test_a_stuck_call_does_not_keep_the_process_from_ending() -> None:
    assert within(5, lambda: current_thread().daemon)


def test_a_caller_that_is_told_to_stop_waits_no_longer() -> None:
    stuck, stop = Event(), Stop()
    Timer(0.05, stop.set).start()
    with pytest.raises(ClaimLost):
        within(60, stuck.wait, stop)
    stuck.set()


def test_a_call_whose_caller_was_told_to_stop_has_no_time_left() -> None:
    told, ended, stop = Event(), Event(), Stop()

    def call() -> None:
        stop.set()
        told.set()
        if has_passed():
            ended.set()

    with pytest.raises(ClaimLost):
        within(60, call, stop)
    assert told.wait(5)
    assert ended.wait(5)


def test_a_call_is_not_begun_once_it_has_to_stop() -> None:
    begun, stop = Event(), Stop()
    stop.set()
    with pytest.raises(ClaimLost):
        within(60, begun.set, stop)
    assert not begun.is_set()
