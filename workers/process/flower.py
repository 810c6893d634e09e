"""Flower, the web page about workers: its start, settings and metrics."""

import asyncio
import logging
from typing import Any

from flower import events, urls
from flower import options as _  # noqa: F401  declares Flower's options
from flower.app import Flower
from flower.events import PrometheusMetrics
from flower.views import BaseHandler
from flower.views.monitor import Metrics
from prometheus_client import Gauge
from tornado.httputil import HTTPServerRequest
from tornado.options import options
from tornado.web import ErrorHandler, authenticated

from shared.config import Settings
from shared.environment.addresses import is_loopback_name
from shared.jobs.queue import make_celery
from shared.startup_checks import check_port
from workers.process.flower_exposure import check_flower_exposure

MAX_JOBS = 10_000
"""Jobs that Flower remembers. Its default of 100,000 would need more memory than its container has."""

GONE_SECONDS = 60
"""A worker without heartbeats for this long is forgotten. Otherwise Flower would report a killed worker as online to
Prometheus for ever, because every start of a worker has a new name."""

LISTEN_SECONDS = 0.5

PAGE_HEADERS = {
    # Its page of workers has a script written into it, and libraries of its pages set styles.
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' "
    "'unsafe-inline'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}
"""What a page of Flower may load, and that no other page may show it in a frame."""

MISDIRECTED = 421

logger = logging.getLogger(__name__)


class WorkerMetrics(PrometheusMetrics):
    """Adds the messages that each worker has taken, by its heartbeats: those of maintenance have no events."""

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


class OurFlower(Flower):
    """Asks workers about themselves once there are some, and without a password goes by this machine's names only.

    Flower itself asks once, at its start. Together with the workers it is mostly the first to be ready: then it warns
    that nobody answered, and knows nothing about any worker until somebody opens its page.
    """

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:  # noqa: ANN401  Tornado's own
        """Return what serves a request.

        A page of the web may give its own name the address 127.0.0.1, and read Flower with the user's browser: only
        Host shows it. With a password it would have to know that too.
        """
        if self.options.basic_auth or is_loopback_name(request.host_name.strip("[]")):
            return super().find_handler(request, **kwargs)
        return self.get_handler_delegate(request, ErrorHandler, {"status_code": MISDIRECTED})

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
    check_flower_exposure(settings)
    check_port(settings.flower_address, settings.flower_port, address_name="FLOWER_ADDRESS", port_name="FLOWER_PORT")
    logger.info("Flower starts", extra={"address": settings.flower_address, "port": settings.flower_port})
    _set_options(settings)
    _close_gaps()
    # Not by its command, which lets variables of the environment and a file of the working directory, flowerconfig.py,
    # win over these options: an empty FLOWER_BASIC_AUTH beside a password in a file let everybody in who gave none.
    serving = OurFlower(capp=make_celery(settings.celery_broker_url), options=options, **urls.settings)
    serving.start_http_server()
    serving.start()
    return 0


def _set_options(settings: Settings) -> None:
    options.address = settings.flower_address
    options.port = settings.flower_port
    options.basic_auth = list(settings.flower_basic_auth)
    # Otherwise it stops workers, changes their pools and queues, and revokes and sends tasks.
    options.read_only = settings.flower_read_only
    options.max_tasks = MAX_JOBS
    options.purge_offline_workers = GONE_SECONDS
    # Otherwise Flower tells workers to send Celery's task events.
    options.enable_events = False


def _close_gaps() -> None:
    """Replace what Flower has no options for."""
    events.PROMETHEUS_METRICS = WorkerMetrics()
    # Flower does not protect its own metrics.
    Metrics.get = authenticated(Metrics.get)
    # A variable FLOWER_UNAUTHENTICATED_API would open its API to everybody, and to every page in a browser.
    BaseHandler.unauthenticated_api = False
    set_default_headers = BaseHandler.set_default_headers

    def set_page_headers(handler: BaseHandler) -> None:
        set_default_headers(handler)
        for name, value in PAGE_HEADERS.items():
            handler.set_header(name, value)

    BaseHandler.set_default_headers = set_page_headers
