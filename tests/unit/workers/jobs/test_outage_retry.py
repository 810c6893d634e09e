import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.errors import DatabaseExhausted, DatabaseUnavailable, StatementOverdue, TransactionConflict
from workers.jobs import outage_retry as module
from workers.jobs.outage_retry import OutageRetry


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.0)


def failing_once(error: DatabaseUnavailable) -> Callable[[], str]:
    errors = [error]

    def write() -> str:
        if errors:
            raise errors.pop()
        return "written"

    return write


@pytest.mark.parametrize(
    "error", [DatabaseUnavailable(), StatementOverdue(), TransactionConflict(), DatabaseExhausted()], ids=repr
)
def test_whatever_postgresql_could_not_do_is_tried_again(error: DatabaseUnavailable) -> None:
    assert OutageRetry().retry_while_unavailable(failing_once(error)) == "written"


def test_in_the_end_the_error_is_raised() -> None:
    with pytest.raises(StatementOverdue):
        OutageRetry(seconds=-1).retry_while_unavailable(failing_once(StatementOverdue()))


def test_a_process_that_ends_tries_nothing_again() -> None:
    outage_retry = OutageRetry()
    outage_retry.stop()
    with pytest.raises(TransactionConflict):
        outage_retry.retry_while_unavailable(failing_once(TransactionConflict()))


def test_a_wait_ends_as_soon_as_the_process_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 3600.0)
    outage_retry, tried = OutageRetry(7200.0), threading.Semaphore(0)

    def write() -> None:
        tried.release()
        raise DatabaseUnavailable

    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(outage_retry.retry_while_unavailable, write)
        assert tried.acquire(timeout=10)
        outage_retry.stop()
        with pytest.raises(DatabaseUnavailable):
            written.result(timeout=10)


def test_what_is_wrong_with_the_write_itself_is_raised_at_once() -> None:
    with pytest.raises(KeyError):
        OutageRetry().retry_while_unavailable({}.popitem)
