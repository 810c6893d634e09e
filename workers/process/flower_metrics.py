"""What Flower tells Prometheus of workers, and what it leaves out."""

from typing import Any

from flower.events import PrometheusMetrics
from prometheus_client import Gauge


class WorkerMetrics(PrometheusMetrics):
    """Adds how many messages each worker has taken: those of maintenance have no events of their own."""

    def __init__(self) -> None:
        """Make Flower's metrics, and ours."""
        super().__init__()
        self.taken = Gauge(
            "askonce_worker_messages_taken",
            "Messages that a worker took since its start, by its heartbeats.",
            ["worker"],
        )

    def observe_worker(self, worker: str, event: dict[str, Any]) -> None:
        """Take a heartbeat."""
        super().observe_worker(worker, event)
        if event["type"] == "worker-heartbeat" and event.get("processed") is not None:
            self.taken.labels(worker).set(event["processed"])

    def remove_workers(self, worker_names: set[str]) -> int:
        """Forget workers that are gone; return how many."""
        for name in worker_names:
            self.taken.remove_by_labels({"worker": name})
        removed: int = super().remove_workers(worker_names)
        return removed
