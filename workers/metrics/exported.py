"""All metrics of one worker, in a registry of its own."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from shared.background import BackgroundLoop
from shared.bootstrap import Services
from shared.domain.catalogue import Catalogue
from shared.metrics.states import CacheServers, LoopStates
from shared.operation.providers import models_by_provider
from shared.operation.workers import WorkerState
from workers.metrics.calls import CallCounts
from workers.metrics.jobs import JobCounts
from workers.metrics.maintenance import MaintenanceCounts


class WorkerMetrics:
    """What this process counts: attempts, calls to providers, what maintenance does, and what is well."""

    def __init__(self, services: Services) -> None:
        self.jobs = JobCounts()
        self.calls = CallCounts(services.prices, _models(services.offers))
        self.maintenance = MaintenanceCounts()
        self._loops: list[BackgroundLoop] = []
        self._registry = CollectorRegistry()
        breakers = (*services.cache.l1.breakers, *services.cache.l2.breakers)
        self.show(
            self.jobs,
            self.calls,
            self.maintenance,
            services.database.metrics,
            CacheServers(breakers),
            LoopStates(lambda: [loop.state for loop in self._loops]),
        )

    def show(self, *collectors: Collector) -> None:
        """Show these metrics too."""
        for collector in collectors:
            self._registry.register(collector)

    def watch(self, loops: Iterable[BackgroundLoop]) -> None:
        """Show whether these loops get through their work."""
        self._loops.extend(loops)

    def render(self) -> bytes:
        """Write everything in Prometheus' text format 0.0.4."""
        return generate_latest(self._registry)


class WorkerUse(Collector):
    """How much a worker uses of what it limits."""

    def __init__(self, worker: WorkerState, running: Callable[[], int], use: Callable[[], dict[str, int]]) -> None:
        """`use`: as `WorkerServices.use` returns it."""
        self._worker = worker
        self._running = running
        self._use = use

    def collect(self) -> Iterator[Metric]:
        """Return the metrics as they are now."""
        use = self._use()
        slots = GaugeMetricFamily("askonce_worker_slots", "Jobs that this worker may run at once.", labels=["queue"])
        running = GaugeMetricFamily("askonce_worker_running", "Jobs that this worker runs.", labels=["queue"])
        slots.add_metric([self._worker.queue], self._worker.slots)
        running.add_metric([self._worker.queue], self._running())
        yield slots
        yield running
        yield GaugeMetricFamily(
            "askonce_worker_pixels_decoding", "Pixels that this worker decodes now.", use["pixels_decoding"]
        )
        yield CounterMetricFamily(
            "askonce_worker_answers_too_large",
            "Answers of providers with more bytes than MAX_ANSWER_BYTES.",
            use["answers_too_large"],
        )


def _models(offers: Catalogue) -> Iterator[tuple[str, str]]:
    for (provider, _), models in models_by_provider(offers).items():
        yield from ((provider, model) for model in models)
