import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue

import pytest

from shared.db.timeouts.connecting import Connector
from shared.errors import DatabaseUnavailable

LONG = 10.0


class Connection:
    """Says when it was closed."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


class Line:
    """A server that can only be reached once it is told to answer, as with a name server that is silent."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.tried = threading.Semaphore(0)
        self.made: SimpleQueue[Connection] = SimpleQueue()

    def connect(self) -> Connection:
        self.tried.release()
        assert self.answers.wait(LONG)
        self.made.put(connection := Connection())
        return connection


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    yield made
    made.answers.set()


def give_up(connector: Connector, line: Line, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(DatabaseUnavailable):
            connector.connect_within(0.01, line.connect)


def test_a_connection_comes_through(line: Line) -> None:
    line.answers.set()
    assert isinstance(Connector(1).connect_within(LONG, line.connect), Connection)


def test_an_error_comes_through() -> None:
    def refuse() -> Connection:
        raise ConnectionRefusedError

    connector = Connector(1)
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            connector.connect_within(LONG, refuse)


def test_a_connection_that_comes_too_late_is_closed(line: Line) -> None:
    give_up(Connector(1), line)
    line.answers.set()
    assert line.made.get(timeout=LONG).closed.wait(LONG)


def test_attempts_that_hang_are_bounded(line: Line) -> None:
    connector = Connector(3)
    give_up(connector, line, times=20)
    assert all(line.tried.acquire(timeout=LONG) for _ in range(3))
    assert not line.tried.acquire(blocking=False)


def test_attempts_that_hung_make_room_when_they_end(line: Line) -> None:
    connector = Connector(1)
    give_up(connector, line, times=3)
    line.answers.set()
    line.made.get(timeout=LONG).closed.wait(LONG)
    assert isinstance(connector.connect_within(LONG, line.connect), Connection)


def test_a_lack_of_threads_is_an_outage_that_passes(
    line: Line, monkeypatch: pytest.MonkeyPatch, no_threads: Callable[..., None]
) -> None:
    connector = Connector(1)
    line.answers.set()
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", no_threads)
        give_up(connector, line, times=3)
    assert isinstance(connector.connect_within(LONG, line.connect), Connection)
