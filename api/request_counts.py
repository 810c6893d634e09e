"""Counts calls that ask, for Prometheus: a microsecond each, since all but the adding is done when asked for."""

import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from shared.request_log.aggregates import LATENCY_BOUNDS_MS

MILLISECONDS = 1000
_BOUNDS = [*(str(bound / MILLISECONDS) for bound in LATENCY_BOUNDS_MS), "+Inf"]


class RequestCounts(Collector):
    """Calls by task type, outcome and status; latencies by outcome. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        self._buckets: defaultdict[tuple[str, int], int] = defaultdict(int)
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def count(self, task_type: str | None, outcome: str, status: int, latency_ms: float) -> None:
        """Count one call."""
        bucket = bisect_left(LATENCY_BOUNDS_MS, latency_ms)
        with self._lock:
            self._calls[task_type or "", outcome, status] += 1
            self._buckets[outcome, bucket] += 1
            self._seconds[outcome] += latency_ms / MILLISECONDS

    def collect(self) -> Iterator[Metric]:
        """Return both metrics as they are now."""
        with self._lock:
            calls, buckets, seconds = dict(self._calls), dict(self._buckets), dict(self._seconds)
        requests = CounterMetricFamily("askonce_requests", "Calls that ask.", labels=("task_type", "outcome", "status"))
        for (task_type, outcome, status), number in calls.items():
            requests.add_metric((task_type, outcome, str(status)), number)
        yield requests
        latency = HistogramMetricFamily(
            "askonce_request_latency_seconds",
            "Time from a predict call's first byte read to its answer.",
            labels=("outcome",),
        )
        for outcome, total in seconds.items():
            below = accumulate(buckets.get((outcome, bucket), 0) for bucket in range(len(_BOUNDS)))
            latency.add_metric((outcome,), [(bound, float(n)) for bound, n in zip(_BOUNDS, below, strict=True)], total)
        yield latency
