"""Metrics of what clients could use up: how much of each limit is in use now, and how often there was no room."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.jobs.queue_limits import QueueLimits


@dataclass(frozen=True, slots=True)
class FrontUse:
    """How much clients use now of what a front limits: bodies and bytes of them, bytes of responses, and calls by lane.

    A lane's calls are those that run in, or wait for, one of its threads. `stream_listeners`: who hears an answer while
    it is made.
    """

    bodies_arriving: int
    body_bytes: int
    unread_bytes: int
    calls_by_lane: Mapping[str, int]
    stream_listeners: int = 0


class FrontMetrics(Collector):
    """What clients use of a front, and the open files of its process: nearly all of them are connections."""

    def __init__(self, use: Callable[[], FrontUse]) -> None:
        self._use = use

    def collect(self) -> Iterator[Metric]:
        """Return the metrics as they are now."""
        use = self._use()
        yield GaugeMetricFamily("askonce_open_files", "Connections and files that are open.", _open_files())
        yield GaugeMetricFamily("askonce_bodies_arriving", "Request bodies that are arriving.", use.bodies_arriving)
        yield GaugeMetricFamily("askonce_body_bytes", "Bytes of BODY_BUDGET_BYTES that are taken.", use.body_bytes)
        yield GaugeMetricFamily(
            "askonce_unread_bytes", "Bytes of large responses that clients have not read.", use.unread_bytes
        )
        yield GaugeMetricFamily(
            "askonce_stream_listeners", "Clients that hear an answer while it is made.", use.stream_listeners
        )
        calls = GaugeMetricFamily(
            "askonce_lane_calls", "Calls that run in, or wait for, a thread of a lane.", labels=["lane"]
        )
        for lane, count in use.calls_by_lane.items():
            calls.add_metric([lane], count)
        yield calls


class QueueMetrics(Collector):
    """What waits for workers, as it was counted for those who asked for a new job in the last minute."""

    def __init__(self, limits: QueueLimits) -> None:
        self._limits = limits

    def collect(self) -> Iterator[Metric]:
        """Return the metrics as they are now."""
        used = GaugeMetricFamily("askonce_queue_used", "Jobs, and bytes of their pictures, that wait.", labels=["of"])
        refused = CounterMetricFamily("askonce_queue_refused", "Jobs that were refused: no room.", labels=["of"])
        for gauge in self._limits.gauges:
            refused.add_metric([gauge.name], gauge.refused_total)
            if (waiting := gauge.waiting) is not None:
                used.add_metric([gauge.name], waiting)
        yield used
        yield refused


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
