"""Counts refused calls for Prometheus, by the limit that was reached."""

import threading
from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from api.limits.errors import LimitReached
from shared.errors import AskOnceError

OF_A_KEY = ("rpm", "jobs-in-flight", "queued-jobs", "tokens-day", "tokens-month", "dollars-day", "dollars-month")
POLICIES = (*OF_A_KEY, *(f"tenant-{name}" for name in OF_A_KEY))
"""The names of all limits."""


class LimitRefusals(Collector):
    """Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Prometheus sees only the growth of what was there before.
        self._refusals: Counter[str] = Counter(dict.fromkeys(POLICIES, 0))

    def note(self, error: AskOnceError) -> None:
        """Count a call that was refused with this error, if a limit was the reason."""
        if isinstance(error, LimitReached):
            with self._lock:
                self._refusals.update(error.policies)

    def collect(self) -> Iterator[Metric]:
        """Return the metric as it is now."""
        with self._lock:
            refusals = dict(self._refusals)
        refused = CounterMetricFamily(
            "askonce_limit_refusals", "Calls of predict that a limit of a key or tenant forbade.", labels=["limit"]
        )
        for limit, number in refusals.items():
            refused.add_metric([limit], number)
        yield refused
