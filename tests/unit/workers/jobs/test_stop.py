import pytest

from workers.jobs.stop import ClaimLost, Stop


def test_what_it_calls_is_called_once() -> None:
    stop, called = Stop(), []
    with stop.calling(lambda: called.append(1)):
        stop.set()
        stop.set()
    assert called == [1]


def test_what_has_ended_is_not_called() -> None:
    stop, called = Stop(), []
    with stop.calling(lambda: called.append(1)):
        pass
    stop.set()
    assert called == []


def test_nothing_is_begun_once_it_is_set() -> None:
    stop = Stop()
    stop.set()
    with pytest.raises(ClaimLost), stop.calling(lambda: None):
        pass
    with pytest.raises(ClaimLost):
        stop.check()
