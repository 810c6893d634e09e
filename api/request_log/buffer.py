"""The buffer of the request log: records of all calls that ask, written in batches so that no answer waits."""

import logging
import threading
from collections import deque
from collections.abc import Sequence

from sqlalchemy.exc import DBAPIError

from api.request_log.records import RequestRecord
from api.request_log.refusals import RefusedCalls
from shared.background import BackgroundLoop
from shared.errors import DatabaseUnavailable, ServerDown
from shared.logs.throttle import LogThrottle
from shared.request_log.overflow import RequestOverflow
from shared.request_log.rows import COLUMNS, Row
from shared.request_log.writer import RequestWriter

FLUSH_INTERVAL_SECONDS = 0.05
RETRY_INTERVAL_SECONDS = 1.0
BATCH = 1000
CAPACITY = 50_000

logger = logging.getLogger(__name__)


class RequestLog:
    """A buffer that a thread empties every 50 ms: into PostgreSQL, or into the overflow if that is away.

    With both away the records stay here. When the buffer is full, the oldest are dropped and counted. Of the records
    of refused calls, those that `refused` takes are counted first, and come a second later as one.
    """

    def __init__(
        self,
        writer: RequestWriter,
        overflow: RequestOverflow,
        refused: RefusedCalls,
        *,
        durable: bool = False,
        capacity: int = CAPACITY,
    ) -> None:
        """`durable`: `record` returns only when the record is written, unless `refused` takes it."""
        self._refused = refused
        self._writer = writer
        self._overflow = overflow
        self._durable = durable
        self._capacity = capacity
        self._buffer: deque[RequestRecord] = deque()
        self._in_hand = 0
        self._lock = threading.Lock()
        self._throttle = LogThrottle()
        self.loop = BackgroundLoop("request_log", self._flush_or_rest, pause=FLUSH_INTERVAL_SECONDS)
        self.dropped_total = 0
        self.overflowed_total = 0

    @property
    def backlog(self) -> int:
        """The number of records that wait in this process, including those that are being written."""
        with self._lock:
            return len(self._buffer) + self._in_hand

    @property
    def counted_total(self) -> int:
        """The number of refused calls that got no record of their own."""
        return self._refused.counted_total

    def start(self) -> None:
        """Start writing in the background."""
        self.loop.start()

    def record(self, record: RequestRecord) -> bool:
        """Take a record; never raises. Waits only if durable, and then returns False when it could not be written."""
        if self._durable:
            return self._refused.takes(record) or self._keep([record])
        self.buffer(record)
        return True

    def buffer(self, record: RequestRecord) -> None:
        """Take a record that is lost if this process dies."""
        if self._refused.takes(record):
            return
        self._buffer.append(record)
        if len(self._buffer) > self._capacity:
            with self._lock:
                self._make_room()

    def flush(self) -> bool:
        """Write what is buffered now; return False when neither PostgreSQL nor the overflow accepts it.

        What comes meanwhile waits for the next flush: a batch costs as much as hundreds of its records.
        """
        self._buffer.extend(self._refused.due())
        size = BATCH
        while size == BATCH and (batch := self._take_batch()):
            size, kept = len(batch), False
            try:
                kept = self._keep(batch)
            finally:
                self._let_go(batch, kept=kept)
            if not kept:
                return False
        return True

    def close(self) -> None:
        """Write the rest and stop; records that neither server accepts now are lost."""
        self.loop.stop()
        self._buffer.extend(self._refused.due(at_the_end=True))
        if not self.flush():
            self.dropped_total += self.backlog
            logger.error("Request records lost at the end", extra={"records": self.backlog})

    def _flush_or_rest(self) -> None:
        if not self.flush():
            self.loop.sleep(RETRY_INTERVAL_SECONDS)

    def _take_batch(self) -> list[RequestRecord]:
        with self._lock:
            batch = [self._buffer.popleft() for _ in range(min(BATCH, len(self._buffer)))]
            self._in_hand = len(batch)
        return batch

    def _let_go(self, batch: list[RequestRecord], *, kept: bool) -> None:
        """Put records that were not written back into the buffer. They may be written twice: a record counts once."""
        with self._lock:
            self._in_hand = 0
            if not kept:
                self._buffer.extendleft(reversed(batch))
                self._make_room()

    def _keep(self, batch: Sequence[RequestRecord]) -> bool:
        rows = [record.row() for record in batch]
        try:
            self._writer.write(rows)
        except (DatabaseUnavailable, DBAPIError, TypeError, ValueError) as err:
            # A table that is missing for a moment must lose no record, and one that can't be written hold up no other.
            return self._put_aside(rows, type(err).__name__)
        return True

    def _put_aside(self, rows: Sequence[Row], reason: str) -> bool:
        count = len(rows)
        try:
            kept = self._overflow.add([dict(zip(COLUMNS, row, strict=True)) for row in rows])
        except ServerDown:
            kept = False
        self.overflowed_total += count if kept else 0
        place = "Redis" if kept else "memory"
        if self._throttle.allows(place):
            extra = {"in": place, "records": count, "reason": reason, "so_far": self.overflowed_total}
            logger.warning("Request records wait for PostgreSQL", extra=extra)
        return kept

    def _make_room(self) -> None:
        while len(self._buffer) > self._capacity:
            self.dropped_total += self._buffer.popleft().calls
