"""What is well and what is not in a process, for Prometheus: its background loops, and the cache servers it uses."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from shared.background import LoopState
from shared.breaker import Breaker


class LoopStates(Collector):
    """The state of background loops."""

    def __init__(self, states: Callable[[], Iterable[LoopState]]) -> None:
        self._states = states

    def collect(self) -> Iterator[Metric]:
        """Return the metrics as they are now."""
        failing = GaugeMetricFamily(
            "askonce_background_failing", "1 while a background loop does not get through its work.", labels=["loop"]
        )
        failures = CounterMetricFamily(
            "askonce_background_failures", "Errors of background loops that nobody expected.", labels=["loop"]
        )
        for state in self._states():
            failing.add_metric([state.name], float(state.is_failing))
            failures.add_metric([state.name], state.failures)
        yield failing
        yield failures


class CacheServers(Collector):
    """The breakers of the cache servers."""

    def __init__(self, breakers: Sequence[Breaker]) -> None:
        self._breakers = breakers

    def collect(self) -> Iterator[Metric]:
        """Return the metrics as they are now."""
        down = GaugeMetricFamily("askonce_cache_server_down", "1 while the breaker is open.", labels=["server"])
        opened = CounterMetricFamily("askonce_cache_breaker_opened", "Times a breaker opened.", labels=["server"])
        for breaker in self._breakers:
            down.add_metric([breaker.server], float(breaker.is_open))
            opened.add_metric([breaker.server], breaker.opened_total)
        yield down
        yield opened
