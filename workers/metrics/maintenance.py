"""Counts what maintenance does."""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from shared.metrics.series import Counts


class MaintenanceCounts(Collector):
    """Safe to use from many threads."""

    def __init__(self) -> None:
        self._rounds = Counts("askonce_maintenance_rounds", "Rounds of a task of maintenance.", ("task",))
        self._rows = Counts("askonce_maintenance_rows", "Rows that maintenance has dealt with.", ("task", "sweep"))
        self._failures = Counts("askonce_maintenance_failures", "Sweeps that failed.", ("task", "sweep"))
        self._expired = Counts(
            "askonce_leases_expired", "Jobs whose worker did not renew its lease, by what became of them.", ("then",)
        )
        # Prometheus sees only the growth of what was there before.
        self.leases_expired(0, 0)

    def round(self, task: str, rows: Mapping[str, int], failed: Iterable[str]) -> None:
        """Count a round: rows by sweep, and the sweeps that failed."""
        self._rounds.add(task)
        for sweep, number in rows.items():
            self._rows.add(task, sweep, amount=number)
        for sweep in failed:
            self._failures.add(task, sweep)

    def leases_expired(self, requeued: int, failed: int) -> None:
        """Count jobs whose lease expired."""
        self._expired.add("requeued", amount=requeued)
        self._expired.add("failed", amount=failed)

    def collect(self) -> Iterator[Metric]:
        """Return the metrics as they are now."""
        for each in (self._rounds, self._rows, self._failures, self._expired):
            yield from each.collect()
