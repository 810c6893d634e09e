"""Prometheus metrics of one process, in a registry of its own, and of all where they share a board."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.background import Background
from api.jobs.queue_limits import QueueLimits
from api.jobs.waiters import Waiters
from api.limits.refusals import LimitRefusals
from api.metrics_board import MetricsBoard
from api.metrics_limits import FrontMetrics, FrontUse, QueueMetrics
from api.metrics_merged import MergedMetrics
from api.request_counts import RequestCounts
from api.request_log.buffer import RequestLog
from shared.metrics.series import Counts
from shared.metrics.states import LoopStates


class Metrics:
    """What this process counts: predict calls, and the state of its breakers, buffer and waiters."""

    def __init__(
        self, request_log: RequestLog, waiters: Waiters, queue: QueueLimits, background: Background, *others: Collector
    ) -> None:
        self._background = background
        self._board: MetricsBoard | None = None
        self._merged = MergedMetrics()
        self._registry = CollectorRegistry()
        self.requests = RequestCounts()
        self.limit_refusals = LimitRefusals()
        self.jobs_cancelled = Counts("askonce_jobs_cancelled", "Jobs that nobody wanted any more.")
        self.jobs_cancelled.add(amount=0)
        for collector in (
            self.requests,
            self.limit_refusals,
            self.jobs_cancelled,
            _Observed(request_log, waiters),
            LoopStates(background.states),
            QueueMetrics(queue),
            *others,
        ):
            self._registry.register(collector)

    def watch_front(self, use: Callable[[], FrontUse]) -> None:
        """Show how much clients use of what the API's front limits."""
        self._registry.register(FrontMetrics(use))

    def share(self, folder: Path) -> None:
        """From now on speak for all processes that share this folder."""
        self._board = MetricsBoard(folder, self._render)
        self._background.add(self._board.loop)
        self._board.start()

    def render(self) -> bytes:
        """Write everything in Prometheus' text format 0.0.4."""
        return self._render() if self._board is None else self._board.render()

    def render_with(self, workers: Mapping[str, bytes]) -> bytes:
        """Write everything, and beside it the metrics of workers, by their names."""
        return self._merged.merge(self.render(), workers)

    def close(self) -> None:
        """Leave the last numbers to the other processes."""
        if self._board is not None:
            self._board.close()

    def _render(self) -> bytes:
        return generate_latest(self._registry)


class _Observed(Collector):
    def __init__(self, request_log: RequestLog, waiters: Waiters) -> None:
        self._request_log = request_log
        self._waiters = waiters

    def collect(self) -> Iterator[Metric]:
        backlog = GaugeMetricFamily("askonce_request_log_backlog", "Request records that wait in this process.")
        backlog.add_metric([], self._request_log.backlog)
        yield backlog
        overflowed = CounterMetricFamily("askonce_request_log_overflowed", "Request records put aside in Redis.")
        overflowed.add_metric([], self._request_log.overflowed_total)
        yield overflowed
        dropped = CounterMetricFamily("askonce_request_log_dropped", "Request records lost.")
        dropped.add_metric([], self._request_log.dropped_total)
        yield dropped
        counted = CounterMetricFamily("askonce_request_log_counted", "Refused calls without a record of their own.")
        counted.add_metric([], self._request_log.counted_total)
        yield counted
        waiting = GaugeMetricFamily("askonce_waiters", "Requests held until their job ends.")
        waiting.add_metric([], self._waiters.count)
        yield waiting
