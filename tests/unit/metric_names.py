"""All metrics that Prometheus finds, with their types and labels."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from uuid import UUID

from examples import NOON, QUEUED
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from api.bootstrap import build_api
from api.metrics_limits import FrontUse, QueueMetrics
from shared.config import load_settings
from shared.domain.answer import Usage
from shared.operation.audits import EndedAudits
from shared.operation.providers import ModelState, ProviderState
from shared.operation.queues import QueueState
from shared.operation.workers import WorkerState
from shared.provider_limits.gate import BreakerState
from workers.bootstrap import build_worker
from workers.jobs.attempt import COMPLETED
from workers.jobs.provider_calls import ProviderCall
from workers.metrics.exported import WorkerUse
from workers.metrics.installation import InstallationFigures

MODEL = "openai/gpt-oss-20b"
WORKER = WorkerState("text@a", "text", 16, 0, NOON)
CALL = ProviderCall(UUID(int=1), "groq", MODEL, NOON, None, Usage(2, 2, 4, 1))


@dataclass(frozen=True, slots=True)
class Series:
    """A metric: its type, and the names of its labels."""

    type: str
    labels: frozenset[str]

    def samples(self, name: str) -> set[str]:
        """Return the names that its samples have."""
        return {f"{name}_{part}" for part in ("bucket", "count", "sum")} if self.type == "histogram" else {name}


All = Mapping[str, Series]


def of_the_api() -> All:
    """Return what an API says, also what it has not counted yet."""
    services = build_api(load_settings({}))
    metrics = services.metrics
    metrics.requests.count("chat", "miss", 202, 1.0)
    metrics.watch_front(lambda: FrontUse(0, 0, 0, {"lookup": 0}))
    services.database.metrics.ended(0.1, "committed")
    # Without a server it does not know how much waits.
    queue = SimpleNamespace(gauges=[SimpleNamespace(name="jobs", refused_total=0, waiting=0)])
    return _read(metrics.render()) | _read(_written(QueueMetrics(queue)))  # type: ignore[arg-type]  # of the same shape


def of_a_worker() -> All:
    """Return what every worker says."""
    worker = build_worker(load_settings({}))
    metrics = worker.metrics
    metrics.show(WorkerUse(WORKER, lambda: 0, worker.use))
    metrics.watch(worker.loops)
    metrics.jobs.attempt_ended(QUEUED, COMPLETED)
    for usage in (CALL.usage, Usage()):
        metrics.calls.ended(ProviderCall(CALL.id, "groq", MODEL, NOON, None, usage), 0.1)
    metrics.maintenance.round("prune", {"jobs": 1}, ["pictures"])
    metrics.maintenance.leases_expired(1, 1)
    worker.services.database.metrics.ended(0.1, "committed")
    return _read(metrics.render())


def of_the_installation() -> All:
    """Return what maintenance says of the whole installation."""
    model = ModelState(MODEL, BreakerState.CLOSED, 0, 0)
    operation = SimpleNamespace(
        queue_names=("text",),
        queues=lambda: (QueueState("text"),),
        providers=lambda: (ProviderState("groq", "groq", 30, 0, 0, (model,)),),
        workers=lambda: (WORKER,),
        audits=lambda: (EndedAudits("chat", 60, "same", 1, 0.1),),
    )
    return _read(_written(InstallationFigures(operation, lambda: 0)))  # type: ignore[arg-type]  # of the same shape


def of_all() -> All:
    """Return what anybody says."""
    return {**of_the_api(), **of_a_worker(), **of_the_installation()}


def _written(collector: Collector) -> bytes:
    registry = CollectorRegistry()
    registry.register(collector)
    return generate_latest(registry)


def _read(text: bytes) -> dict[str, Series]:
    found = {}
    for family in text_string_to_metric_families(text.decode()):
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = Series(family.type, frozenset(labels))
    return found
