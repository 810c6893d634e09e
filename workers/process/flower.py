"""Flower, the web page about workers: its start, settings and metrics."""

import asyncio
import ipaddress
import logging
from typing import Any

from flower import command, events
from flower import options as _  # noqa: F401  declares Flower's options
from flower.app import Flower
from flower.events import PrometheusMetrics
from flower.views.monitor import Metrics
from prometheus_client import Gauge
from tornado.options import options
from tornado.web import authenticated

from shared.config import Settings
from shared.errors import ConfigurationError
from shared.jobs.queue import make_celery
from shared.startup_checks import check_port

MAX_JOBS = 10_000
"""Jobs that Flower remembers. Its default of 100,000 would need more memory than its container has."""

GONE_SECONDS = 60
"""A worker without heartbeats for this long is forgotten. Otherwise Flower would report a killed worker as online to
Prometheus for ever, because every start of a worker has a new name."""

LISTEN_SECONDS = 0.5

logger = logging.getLogger(__name__)


class WorkerMetrics(PrometheusMetrics):
    """Adds the number of messages that each worker has taken: messages of maintenance have no events."""

    def __init__(self) -> None:
        """Make Flower's metrics, and ours."""
        super().__init__()
        self.taken = Gauge(
            "askonce_worker_messages_taken",
            "Messages that a worker took since its start, by its heartbeats.",
            ["worker"],
        )

    def observe_worker(self, worker: str, event: dict[str, Any]) -> None:
        """Record a heartbeat."""
        super().observe_worker(worker, event)
        if event["type"] == "worker-heartbeat" and event.get("processed") is not None:
            self.taken.labels(worker).set(event["processed"])

    def remove_workers(self, worker_names: set[str]) -> int:
        """Forget workers that are gone; return how many."""
        for name in worker_names:
            self.taken.remove_by_labels({"worker": name})
        removed: int = super().remove_workers(worker_names)
        return removed


class PatientFlower(Flower):
    """Asks workers about themselves once there are some.

    Flower itself asks once, at its start. Together with the workers it is mostly the first to be ready: then it warns
    that nobody answered, and knows nothing about any worker until somebody opens its page.
    """

    def start(self) -> None:
        """Serve until told to stop."""
        self.events.start()
        self.started = True
        self.io_loop.add_callback(self._ask_once_heard)
        self.io_loop.start()

    async def _ask_once_heard(self) -> None:
        # A heartbeat is the second sign of life of a new worker: by then it answers, and so do those started with it.
        while not any(seen["worker-heartbeat"] for seen in self.events.state.counter.values()):  # noqa: ASYNC110  Flower has no event for it
            await asyncio.sleep(LISTEN_SECONDS)
        await self.update_workers()


def run_monitor(settings: Settings) -> int:
    """Serve Flower until told to stop; return the exit code.

    Raises ConfigurationError if the port is taken, or if other machines could use Flower without a password.
    """
    if not settings.flower_basic_auth and not ipaddress.ip_address(settings.flower_address).is_loopback:
        message = f"FLOWER_BASIC_AUTH: must be set where FLOWER_ADDRESS is {settings.flower_address}"
        raise ConfigurationError(message)
    check_port(settings.flower_address, settings.flower_port, address_name="FLOWER_ADDRESS", port_name="FLOWER_PORT")
    logger.info("Flower starts", extra={"address": settings.flower_address, "port": settings.flower_port})
    # Not as an argument of the command, which every process of the machine could read.
    options.basic_auth = list(settings.flower_basic_auth)
    options.max_tasks = MAX_JOBS
    options.purge_offline_workers = GONE_SECONDS
    # Otherwise Flower tells workers to send Celery's task events.
    options.enable_events = False
    events.PROMETHEUS_METRICS = WorkerMetrics()
    command.Flower = PatientFlower
    # Flower does not protect its own metrics.
    Metrics.get = authenticated(Metrics.get)
    app = make_celery(settings.celery_broker_url)
    app.start(["flower", f"--port={settings.flower_port}", f"--address={settings.flower_address}"])
    return 0
