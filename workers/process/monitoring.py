"""What a worker process tells of itself: to everybody through Redis, and to a Prometheus that asks it."""

from celery.worker.state import active_requests

from celeryconfig import QUEUE_NAMES
from shared.config import Settings
from shared.operation.workers import WorkerState
from shared.startup_checks import check_port
from workers.bootstrap import WorkerServices
from workers.metrics.endpoint import MetricsEndpoint
from workers.metrics.exported import WorkerUse
from workers.metrics.installation import InstallationFigures
from workers.process.presence import Presence


def metrics_port(settings: Settings, queue: str) -> int | None:
    """Return where a worker of this queue serves its metrics; None where none does.

    Each queue has a port of its own, so that one worker of each can run on one machine.
    """
    first = settings.worker_metrics_port
    return first + QUEUE_NAMES.index(queue) if first else None


def check_metrics_port(settings: Settings, queue: str) -> None:
    """Raise ConfigurationError if a worker of this queue could not serve its metrics."""
    port = metrics_port(settings, queue)
    if port is not None:
        address = settings.worker_metrics_address
        check_port(address, port, address_name="WORKER_METRICS_ADDRESS", port_name="WORKER_METRICS_PORT")


class Monitoring:
    """All that others see of a worker process, from its start to its end."""

    def __init__(self, worker: WorkerServices, state: WorkerState) -> None:
        """`state`: of the worker, as it starts."""
        metrics, settings = worker.metrics, worker.services.settings
        metrics.show(WorkerUse(state, lambda: len(active_requests), worker.use))
        if state.queue == "maintenance":
            metrics.show(InstallationFigures(worker.operation, worker.services.request_overflow.length))
        self._presence = Presence(worker.operation.board, state, metrics.render)
        port = metrics_port(settings, state.queue)
        self._endpoint = (
            None if port is None else MetricsEndpoint(settings.worker_metrics_address, port, metrics.render)
        )
        metrics.watch([*worker.loops, self._presence.loop])

    def start(self) -> None:
        """Start to tell."""
        self._presence.start()
        if self._endpoint is not None:
            self._endpoint.start()

    def close(self) -> None:
        """Tell that the worker has ended."""
        self._presence.close()
        if self._endpoint is not None:
            self._endpoint.close()
