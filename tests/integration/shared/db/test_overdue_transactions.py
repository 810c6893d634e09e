"""Cutting off an overdue transaction, and nothing else."""

import socket
import threading
from collections.abc import Iterator

import pytest

from shared.breaker import Breaker
from shared.config import Settings
from shared.db.engine import Database
from shared.db.timeouts.watchdog import Watchdog
from shared.errors import DatabaseUnavailable

TRANSACTION_TIMEOUT_SECONDS = 0.05
WAIT_SECONDS = 20.0


class Interruption:
    """Holds the watchdog's thread between its decision that a transaction is overdue and the cut."""

    def __init__(self) -> None:
        self._decided = threading.Semaphore(0)
        self._may_cut = threading.Semaphore(0)

    def __call__(self) -> None:
        self._decided.release()
        self._may_cut.acquire()

    def until_decided(self) -> None:
        assert self._decided.acquire(timeout=WAIT_SECONDS)

    def let_it_cut(self) -> None:
        self._may_cut.release()


@pytest.fixture
def interruption() -> Interruption:
    return Interruption()


@pytest.fixture
def watchdog(interruption: Interruption) -> Iterator[Watchdog]:
    watchdog = Watchdog(TRANSACTION_TIMEOUT_SECONDS, interruption)
    yield watchdog
    watchdog.close()
    interruption.let_it_cut()


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection: ours, and the server's."""
    ours, theirs = socket.socketpair()
    ours.settimeout(WAIT_SECONDS)
    with ours, theirs:
        yield ours, theirs


def test_an_overdue_transaction_is_cut(
    watchdog: Watchdog, interruption: Interruption, ends: tuple[socket.socket, socket.socket]
) -> None:
    with watchdog.watching() as watch:
        watch.attach(ends[0])  # type: ignore[arg-type]  # it has what is looked at: fileno
        interruption.let_it_cut()
        assert ends[0].recv(1) == b""


def test_a_transaction_that_ends_while_the_watchdog_gives_it_up_is_not_cut(
    watchdog: Watchdog, interruption: Interruption, ends: tuple[socket.socket, socket.socket]
) -> None:
    with watchdog.watching() as watch:
        watch.attach(ends[0])  # type: ignore[arg-type]  # as above
        interruption.until_decided()
    interruption.let_it_cut()
    with watchdog.watching():
        interruption.until_decided()  # so it is done with the first
    ends[1].send(b"x")
    assert ends[0].recv(1) == b"x"


def test_a_connection_that_comes_too_late_is_not_attached(
    watchdog: Watchdog, interruption: Interruption, ends: tuple[socket.socket, socket.socket]
) -> None:
    with watchdog.watching() as watch:
        interruption.until_decided()
        with pytest.raises(DatabaseUnavailable):
            watch.attach(ends[0])  # type: ignore[arg-type]  # as above
    interruption.let_it_cut()


def test_a_connection_that_went_back_to_the_pool_serves_the_next_transaction_uncut(
    settings: Settings, interruption: Interruption, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Breaker, "trip", lambda *_: interruption())
    database = Database(settings.database_url, pool_size=1, transaction_timeout=0.5)
    with database.begin():
        interruption.until_decided()
    with database.begin() as connection:
        interruption.let_it_cut()
        interruption.until_decided()  # about this transaction, so it is done with the first
        # Past its time a transaction has none left for a statement, so it is the bare connection that asks.
        with connection.connection.cursor() as cursor:
            cursor.execute("SELECT 2")
            assert cursor.fetchone() == (2,)
    interruption.let_it_cut()
    database.close()


def test_a_transaction_that_carries_much_may_take_longer_than_others(settings: Settings) -> None:
    database = Database(settings.database_url, pool_size=2, transaction_timeout=0.5)
    with database.begin(extra_seconds=30) as connection:
        assert connection.exec_driver_sql("SELECT 1 FROM pg_sleep(1)").scalar_one() == 1
    database.close()


def test_a_transaction_with_more_time_keeps_no_other_from_being_aborted(
    watchdog: Watchdog, interruption: Interruption, ends: tuple[socket.socket, socket.socket]
) -> None:
    with watchdog.watching(extra_seconds=60) as longer, watchdog.watching() as watch:
        watch.attach(ends[0])  # type: ignore[arg-type]  # as above
        interruption.until_decided()
        interruption.let_it_cut()
        assert ends[1].recv(1) == b""
        assert not longer.is_overdue
