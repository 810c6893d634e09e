"""The names of all metrics that Prometheus finds."""

from collections.abc import Iterator
from contextlib import contextmanager

from flower.events import PrometheusMetrics
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families

from api.bootstrap import build_api
from api.metrics_limits import FrontUse
from shared.config import load_settings
from workers.process.flower import WorkerMetrics


def of_the_api() -> set[str]:
    """Return the names of what the API counts, also of what it has not counted yet."""
    metrics = build_api(load_settings({})).metrics
    metrics.requests.count("chat", "miss", 202, 1.0)
    metrics.watch_front(lambda: FrontUse(0, 0, 0, {}))
    families = list(text_string_to_metric_families(metrics.render().decode()))
    return {family.name for family in families} | {each.name for family in families for each in family.samples}


def of_flower(metrics: PrometheusMetrics) -> set[str]:
    """Return the names of what Flower counts."""
    return {family.name for metric in _metrics(metrics) for family in metric.collect()}


@contextmanager
def flowers_metrics() -> Iterator[WorkerMetrics]:
    """Lend Flower's metrics, which are registered for the whole process."""
    metrics = WorkerMetrics()
    try:
        yield metrics
    finally:
        for metric in _metrics(metrics):
            REGISTRY.unregister(metric)


def _metrics(of_flower: PrometheusMetrics) -> list[MetricWrapperBase]:
    return [metric for metric in vars(of_flower).values() if isinstance(metric, MetricWrapperBase)]
