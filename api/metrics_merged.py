"""The metrics of this API and of all workers in one text, for who can't ask each worker."""

import logging
from collections.abc import Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from api.metrics_sum import families
from shared.logs.throttle import LogThrottle

LABEL = "worker"

logger = logging.getLogger(__name__)


class MergedMetrics:
    """Puts the metrics of workers beside ours. Each worker's have the label `worker`, and none are added up.

    Prometheus would take it for growth if a sum fell because a worker ended.
    """

    def __init__(self) -> None:
        self._throttle = LogThrottle()

    def merge(self, own: bytes, workers: Mapping[str, bytes]) -> bytes:
        """Return all in Prometheus' text format. `workers`: the text of each by its name."""
        found = families(own)
        for name, text in workers.items():
            found += self._read(name, text)
        registry = CollectorRegistry()
        registry.register(_Together(found))
        return generate_latest(registry)

    def _read(self, name: str, text: bytes) -> list[Metric]:
        """Return the metrics of a worker, with its name; none if it speaks in a way that we don't understand."""
        try:
            read = families(text)
        except ValueError as err:
            if self._throttle.allows("read"):
                logger.warning("Metrics of a worker can't be read", extra={"worker": name, "reason": str(err)})
            return []
        for family in read:
            family.samples = [each._replace(labels={**each.labels, LABEL: name}) for each in family.samples]
        return read


class _Together(Collector):
    def __init__(self, found: Sequence[Metric]) -> None:
        self._found = found

    def collect(self) -> Iterator[Metric]:
        """Return each family once: Prometheus wants all its samples in one place."""
        by_name: dict[str, Metric] = {}
        for family in self._found:
            first = by_name.setdefault(family.name, family)
            if first is not family:
                first.samples.extend(family.samples)
        yield from by_name.values()
