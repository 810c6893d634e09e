"""What a process does with PostgreSQL, for Prometheus."""

from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from shared.metrics.series import Durations

BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
COMMITTED, FAILED = "committed", "failed"


class DatabaseMetrics(Collector):
    """The time that transactions take, what is in use of the pool, and whether PostgreSQL is away."""

    def __init__(self, pool_size: int, in_use: Callable[[], int], is_away: Callable[[], bool]) -> None:
        """`in_use`: returns how many connections are in use."""
        self._pool_size = pool_size
        self._in_use = in_use
        self._is_away = is_away
        self._transactions = Durations(
            "askonce_database_transaction_seconds",
            "Time of transactions from their first statement to their commit, by outcome.",
            BOUNDS,
            ("outcome",),
        )

    def ended(self, seconds: float, outcome: str) -> None:
        """Count a transaction."""
        self._transactions.add(seconds, outcome)

    def collect(self) -> Iterator[Metric]:
        """Return the metrics as they are now."""
        yield from self._transactions.collect()
        yield GaugeMetricFamily(
            "askonce_database_connections_in_use", "Connections to PostgreSQL in use.", self._in_use()
        )
        yield GaugeMetricFamily("askonce_database_connections_max", "DATABASE_POOL_SIZE.", self._pool_size)
        yield GaugeMetricFamily(
            "askonce_database_down", "1 while transactions are refused: PostgreSQL is away.", float(self._is_away())
        )
