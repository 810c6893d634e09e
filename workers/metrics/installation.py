"""What maintenance knows of the whole installation: queues, providers, workers, records that wait in Redis, audits.

It is the same whichever process says it: use `max`, not `sum`, where two processes do.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from shared.errors import DatabaseUnavailable, ServerDown
from shared.operation.operation import Operation
from shared.operation.providers import ProviderState
from shared.provider_limits.gate import BreakerState


class InstallationFigures(Collector):
    """Read when they are asked for. What can't be read is left out."""

    def __init__(self, operation: Operation, overflow: Callable[[], int]) -> None:
        """`overflow`: returns how many request records wait in Redis; raises ServerDown."""
        self._operation = operation
        self._overflow = overflow

    def collect(self) -> Iterator[Metric]:
        """Return the metrics as they are now."""
        yield from self._queues()
        yield from self._providers()
        yield from self._workers()
        yield from self._records()
        yield from self._audits()

    def _queues(self) -> Iterator[Metric]:
        jobs = GaugeMetricFamily("askonce_queue_jobs", "Jobs that have not ended, by state.", labels=["queue", "state"])
        oldest = GaugeMetricFamily(
            "askonce_queue_oldest_due_seconds", "For how long the oldest due job has been due.", labels=["queue"]
        )
        try:
            found = self._operation.queues()
        except DatabaseUnavailable:
            found = ()
        for each in found:
            for state, number in (("due", each.due), ("delayed", each.delayed), ("running", each.running)):
                jobs.add_metric([each.queue, state], number)
            oldest.add_metric([each.queue], each.oldest_due_seconds)
        yield jobs
        yield oldest

    def _providers(self) -> Iterator[Metric]:
        found = self._operation.providers() or ()
        yield from _models(found)
        names = ["provider", "vendor"]
        limit = GaugeMetricFamily("askonce_provider_limit_per_minute", "Calls that may be made a minute.", labels=names)
        used = GaugeMetricFamily("askonce_provider_limit_used", "Calls of the last minute.", labels=names)
        waiting = GaugeMetricFamily("askonce_provider_limit_waiting", "Jobs that wait for the limit.", labels=names)
        for each in found:
            if each.requests_per_minute:
                labels = [each.provider, each.vendor]
                limit.add_metric(labels, each.requests_per_minute)
                used.add_metric(labels, each.calls_in_last_minute)
                waiting.add_metric(labels, each.waiting_for_limit)
        yield from (limit, used, waiting)

    def _workers(self) -> Iterator[Metric]:
        alive = GaugeMetricFamily("askonce_workers_alive", "Workers that are alive.", labels=["queue"])
        workers = self._operation.workers()
        if workers is not None:
            queues = [each.queue for each in workers]
            for queue in sorted({*self._operation.queue_names, *queues}):
                alive.add_metric([queue], queues.count(queue))
        yield alive

    def _records(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily("askonce_request_log_overflow", "Request records that wait in Redis.")
        with suppress(ServerDown):
            waiting.add_metric([], self._overflow())
        yield waiting

    def _audits(self) -> Iterator[Metric]:
        names = ["task_type", "age", "verdict"]
        ended = CounterMetricFamily("askonce_audits", "Audits of hits, by the answer's age and verdict.", labels=names)
        dollars = CounterMetricFamily("askonce_audit_cost_dollars", "US dollars they have cost at most.", labels=names)
        with suppress(DatabaseUnavailable):
            for each in self._operation.audits():
                labels = [each.task_type, str(each.age), each.verdict]
                ended.add_metric(labels, each.audits)
                dollars.add_metric(labels, each.dollars)
        yield ended
        yield dollars


def _models(found: tuple[ProviderState, ...]) -> Iterator[Metric]:
    names = ["provider", "vendor", "model"]
    down = GaugeMetricFamily("askonce_provider_down", "1 while the breaker is not closed.", labels=names)
    paused = GaugeMetricFamily(
        "askonce_provider_paused_seconds", "For how long the provider has said that it would refuse.", labels=names
    )
    for each in found:
        for model in each.models:
            labels = [each.provider, each.vendor, model.model]
            down.add_metric(labels, float(model.breaker is not BreakerState.CLOSED))
            paused.add_metric(labels, model.paused_seconds)
    yield down
    yield paused
