import math
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

import shared.background
from shared.db.timeouts.watchdog import Watch, Watchdog
from shared.errors import DatabaseUnavailable
from tests.integration.eventually import eventually


class Surprise:
    """What is told of overdue transactions: raises what nobody expected while `error` is set."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.told = threading.Semaphore(0)

    def __call__(self) -> None:
        self.told.release()
        if self.error is not None:
            raise self.error


@pytest.fixture
def surprise() -> Surprise:
    return Surprise()


@pytest.fixture
def watchdog(surprise: Surprise, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watchdog]:
    monkeypatch.setattr(shared.background, "RETRY_SECONDS", 0.001)
    made = Watchdog(0.01, surprise)
    yield made
    made.close()
    assert not made.loop.is_running


def wait_until_overdue(watchdog: Watchdog, surprise: Surprise) -> Watch:
    with watchdog.watching() as watch:
        assert surprise.told.acquire(timeout=10)
    return watch


def test_a_transaction_that_takes_too_long_is_overdue(watchdog: Watchdog, surprise: Surprise) -> None:
    assert wait_until_overdue(watchdog, surprise).is_overdue


def test_it_is_overdue_too_while_an_older_one_has_more_time(watchdog: Watchdog, surprise: Surprise) -> None:
    with watchdog.watching(extra_seconds=3600):
        eventually(lambda: watchdog._wakes_at < math.inf)  # noqa: SLF001  its thread sleeps then
        assert wait_until_overdue(watchdog, surprise).is_overdue


def test_transactions_that_end_in_time_do_not_wake_its_thread(
    surprise: Surprise, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[None] = []
    with closing(Watchdog(3600.0, surprise)) as watchdog:
        with watchdog.watching():
            eventually(lambda: watchdog._wakes_at < math.inf)  # noqa: SLF001  its thread sleeps then
        with monkeypatch.context() as counted:
            counted.setattr(watchdog._changed, "notify", lambda: woken.append(None))  # noqa: SLF001  see above
            for _ in range(50):
                with watchdog.watching():
                    pass
    assert woken == []


def test_it_goes_on_watching_after_what_nobody_expected(watchdog: Watchdog, surprise: Surprise) -> None:
    surprise.error = KeyError("a bug")
    wait_until_overdue(watchdog, surprise)
    assert wait_until_overdue(watchdog, surprise).is_overdue


def test_no_transaction_runs_unwatched_for_want_of_a_thread(
    watchdog: Watchdog, surprise: Surprise, monkeypatch: pytest.MonkeyPatch, no_threads: Callable[..., None]
) -> None:
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", no_threads)
        with pytest.raises(DatabaseUnavailable), watchdog.watching():
            pass
    assert not watchdog._watches  # noqa: SLF001  what never ran is not to be cut
    assert wait_until_overdue(watchdog, surprise).is_overdue
