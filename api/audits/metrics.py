"""Prometheus metrics of the hits that are chosen for an audit."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.audits.sampling import HitAudits


class AuditMetrics(Collector):
    """What this process has chosen, dropped, and not written yet. All are 0 where no hits are audited."""

    def __init__(self, audits: HitAudits | None) -> None:
        self._audits = audits

    def collect(self) -> Iterator[Metric]:
        """Return the metrics as they are now."""
        audits = self._audits
        chosen, dropped, backlog = (
            (0, 0, 0) if audits is None else (audits.chosen_total, audits.dropped_total, audits.backlog)
        )
        yield CounterMetricFamily("askonce_audits_chosen", "Hits that were chosen to be asked again.", chosen)
        yield CounterMetricFamily(
            "askonce_audits_dropped",
            "Of these, those without room, or on an answer that was being audited.",
            dropped,
        )
        yield GaugeMetricFamily("askonce_audits_backlog", "Of these, those that wait to be written.", backlog)
