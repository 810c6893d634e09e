from collections.abc import Callable

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
