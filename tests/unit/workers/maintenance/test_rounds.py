import logging
from collections.abc import Iterator

import pytest
from examples import StoppedClock, stop_clock

from shared.errors import DatabaseUnavailable, ServerDown
from workers.maintenance import rounds as module
from workers.maintenance.rounds import work_off

SECONDS = 2.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> StoppedClock:
    return stop_clock(module, monkeypatch)


def sweep(clock: StoppedClock, *steps: int, takes: float = 0.0) -> Iterator[int]:
    for step in steps:
        clock.now += takes
        yield step


def endless(clock: StoppedClock, takes: float) -> Iterator[int]:
    while True:
        clock.now += takes
        yield 1


def failing(error: Exception) -> Iterator[int]:
    yield 1
    raise error


def test_a_round_ends_when_nothing_is_left(clock: StoppedClock) -> None:
    done = work_off({"a": sweep(clock, 10, 10, 5), "b": sweep(clock, 3)}, SECONDS)
    assert (done.rows, done.unfinished) == ({"a": 25, "b": 3}, False)


def test_a_round_ends_when_its_time_is_over(clock: StoppedClock) -> None:
    done = work_off({"a": endless(clock, takes=0.5)}, SECONDS)
    assert (done.rows, done.unfinished) == ({"a": 4}, True)


def test_sweeps_take_turns(clock: StoppedClock) -> None:
    done = work_off({"a": endless(clock, takes=0.25), "b": endless(clock, takes=0.25)}, SECONDS)
    assert done.rows == {"a": 4, "b": 4}


def test_each_sweep_has_a_step_however_long_another_one_takes(clock: StoppedClock) -> None:
    done = work_off({"a": endless(clock, takes=60), "b": sweep(clock, 1, 1)}, SECONDS)
    assert (done.rows, done.unfinished) == ({"a": 1, "b": 1}, True)


@pytest.mark.parametrize("error", [DatabaseUnavailable(), ServerDown(), ValueError("a mistake of ours")], ids=repr)
def test_a_sweep_that_fails_keeps_no_other_from_its_turn(clock: StoppedClock, error: Exception) -> None:
    done = work_off({"a": failing(error), "b": sweep(clock, 1, 1, 1)}, SECONDS)
    assert (done.rows, done.unfinished) == ({"a": 1, "b": 3}, False)


def test_a_mistake_of_ours_is_logged_with_its_trace(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        work_off({"a": failing(ValueError("a mistake of ours")), "b": failing(DatabaseUnavailable())}, SECONDS)
    assert [(record.levelname, record.exc_info is not None) for record in caplog.records] == [
        ("ERROR", True),
        ("WARNING", False),
    ]


def test_what_found_nothing_is_not_told(clock: StoppedClock) -> None:
    assert work_off({"a": sweep(clock), "b": sweep(clock, 0)}, SECONDS).rows == {}
