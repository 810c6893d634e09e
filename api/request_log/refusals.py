"""Bounds the rows of refused calls: whoever is refused as fast as it can send must not fill the table `requests`."""

import threading
import time
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass

from api.request_log.records import RequestRecord
from shared.request_log.aggregates import LATENCY_BOUNDS_MS

ERROR = "error"


@dataclass(slots=True)
class _Alike:
    """Refused calls of one second that differ in nothing that the aggregates count."""

    first: RequestRecord
    calls: int = 0
    latency_ms: float = 0.0

    def record(self) -> RequestRecord:
        """Return the one record of all of them: their time, their code, their number and their mean latency.

        They are in the same bucket of the histogram, and so is their mean: the aggregates come out as with a row each.
        """
        first = self.first
        refusal = {"error": (first.request or {}).get("error")}
        mean = self.latency_ms / self.calls
        return first._replace(
            latency_ms=mean, calls=self.calls, request=refusal, cache_key=None, request_id=None, trace_id=None
        )


class RefusedCalls:
    """Decides which refused calls get a row of their own, and counts the others. Safe to use from many threads.

    In each second a client's first calls get one. What it is refused beyond them becomes one row for each kind of
    refusal when the second is over.
    """

    def __init__(self, rows_per_second: int) -> None:
        """`rows_per_second`: for each client."""
        self._rows_per_second = rows_per_second
        self._lock = threading.Lock()
        self._second = 0
        self._rows: Counter[tuple[str, str]] = Counter()
        self._alike: dict[tuple[object, ...], _Alike] = {}
        self._due: list[RequestRecord] = []
        self.counted_total = 0

    def takes(self, record: RequestRecord) -> bool:
        """Return whether the record was counted only. One of a call that had a job never is: jobs are bounded."""
        if record.outcome != ERROR or record.job_id is not None:
            return False
        client = record.tenant, record.client
        with self._lock:
            self._look_at_the_clock()
            if self._rows[client] < self._rows_per_second:
                self._rows[client] += 1
                return False
            code = (record.request or {}).get("error")
            bucket = bisect_right(LATENCY_BOUNDS_MS, record.latency_ms)
            alike = self._alike.setdefault((*client, record.task_type, record.status, code, bucket), _Alike(record))
            alike.calls += 1
            alike.latency_ms += record.latency_ms
            self.counted_total += 1
        return True

    def due(self, *, at_the_end: bool = False) -> list[RequestRecord]:
        """Return the records of all seconds that are over, each once; at the end of the process also of this one."""
        with self._lock:
            if at_the_end:
                self._end_second()
            else:
                self._look_at_the_clock()
            due, self._due = self._due, []
        return due

    def _look_at_the_clock(self) -> None:
        second = int(time.monotonic())
        if second != self._second:
            self._second = second
            self._end_second()

    def _end_second(self) -> None:
        self._due += [alike.record() for alike in self._alike.values()]
        self._alike.clear()
        self._rows.clear()
