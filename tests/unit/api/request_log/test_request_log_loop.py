import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import pytest

import shared.background
from api.request_log.buffer import RequestLog
from api.request_log.records import RequestRecord
from api.request_log.refusals import RefusedCalls
from shared.errors import DatabaseUnavailable
from shared.request_log.overflow import RequestOverflow
from shared.request_log.writer import RequestWriter

LONG = 10.0
RECORD = RequestRecord(
    id="01a2196b-cc8a-7698-be35-4b46761401e8",
    client="anonymous",
    tenant="default",
    outcome="miss",
    status=202,
    latency_ms=4.2,
)


class Writer:
    """Writes, or raises what a test has told it to; says when."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.tried, self.wrote = threading.Semaphore(0), threading.Semaphore(0)

    def write(self, records: str) -> int:
        self.tried.release()
        if self.error is not None:
            raise self.error
        self.wrote.release()
        return len(records)


class Overflow:
    """Takes everything."""

    def add(self, batch: Sequence[Mapping[str, object]]) -> bool:
        return bool(batch)

    def close(self) -> None:
        pass


@pytest.fixture
def writer() -> Writer:
    return Writer()


@pytest.fixture
def log(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> Iterator[RequestLog]:
    monkeypatch.setattr(shared.background, "RETRY_SECONDS", 0.001)
    made = RequestLog(cast("RequestWriter", writer), cast("RequestOverflow", Overflow()), RefusedCalls(1))
    yield made
    writer.error = None
    made.close()


def test_a_record_outlives_what_nobody_expected(log: RequestLog, writer: Writer) -> None:
    writer.error = MemoryError()
    log.start()
    log.record(RECORD)
    assert all(writer.tried.acquire(timeout=LONG) for _ in range(3))
    assert log.backlog == 1
    writer.error = None
    assert writer.wrote.acquire(timeout=LONG)
    assert log.loop.is_running


def test_an_outage_is_not_logged_with_every_batch(
    log: RequestLog, writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    writer.error = DatabaseUnavailable()
    with caplog.at_level(logging.WARNING, logger="api.request_log.buffer"):
        for _ in range(5):
            log.record(RECORD)
            assert log.flush()
    assert [record.message for record in caplog.records] == ["Request records wait for PostgreSQL"]
