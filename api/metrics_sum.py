"""Metrics in Prometheus' text format: read back, and added up."""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

LARGEST = ("askonce_cache_server_down", "askonce_database_down", "askonce_background_failing", "askonce_queue_used")
"""What is true or not is true when one process says so, and what all processes count alike is not added. All else is a
count of each process, and these are added."""


def families(text: bytes) -> list[Metric]:
    """Read metrics back, without the times at which a process began to count; raise ValueError for what are none."""
    parsed = text_string_to_metric_families(text.decode())
    return [family for family in parsed if not family.name.endswith("_created")]


def counts(text: bytes) -> list[Metric]:
    """Read back what counts on when its process has ended."""
    return [family for family in families(text) if family.type != "gauge"]


def total(parts: Iterable[Metric]) -> bytes:
    """Write the metrics of several processes as one's."""
    registry = CollectorRegistry()
    registry.register(_Sum(parts))
    return generate_latest(registry)


class _Sum(Collector):
    def __init__(self, parts: Iterable[Metric]) -> None:
        self._families = list(parts)

    def collect(self) -> Iterator[Metric]:
        values: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], float]] = {}
        named = {family.name: family for family in self._families}
        for family in self._families:
            added = values.setdefault(family.name, {})
            for sample in family.samples:
                key = (sample.name, tuple(sample.labels.items()))
                before = added.get(key, 0.0)
                added[key] = max(before, sample.value) if family.name in LARGEST else before + sample.value
        for name, family in named.items():
            metric = Metric(name, family.documentation, family.type)
            for (sample_name, labels), value in values[name].items():
                metric.add_sample(sample_name, dict(labels), value)
            yield metric
