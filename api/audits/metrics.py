"""Prometheus metrics of the audit of hits."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.audits.sampling import HitAudits


class AuditMetrics(Collector):
    """What this process has chosen, dropped, and not written yet; and how audits ended, of all workers together.

    Where no hits are audited, all are 0 or missing.
    """

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
        labels = ("task_type", "age", "verdict")
        ended = CounterMetricFamily("askonce_audits", "Audits by least age of their class and verdict.", labels=labels)
        dollars = CounterMetricFamily("askonce_audit_dollars", "What they have cost at most.", labels=labels)
        for row in () if audits is None else audits.totals.rows:
            values = (row.task_type, str(row.age), row.verdict)
            ended.add_metric(values, float(row.audits))
            dollars.add_metric(values, float(row.dollars))
        yield ended
        yield dollars
