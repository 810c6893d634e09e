"""Flower, which shows the workers and can stop them: it asks for its password on every page, its metrics too."""

import ipaddress
import logging

from flower import events
from flower import options as _  # noqa: F401  declares Flower's options
from flower.views.monitor import Metrics
from tornado.options import options
from tornado.web import authenticated

from shared.config import Settings
from shared.errors import ConfigurationError
from shared.jobs.queue import make_celery
from shared.listening import check_port
from workers.process.flower_metrics import WorkerMetrics

MAX_JOBS = 10_000
"""That it remembers: Flower's own 100,000 would outgrow its container."""

GONE_SECONDS = 60
"""After which a worker without heartbeats is forgotten. Every start of a worker has a name of its own, and Flower would
go on telling Prometheus that one which was killed is online."""

logger = logging.getLogger(__name__)


def run_monitor(settings: Settings) -> int:
    """Serve until told to stop.

    Raises ConfigurationError for a port that is taken, and where others could come in without a password.
    """
    if not settings.flower_basic_auth and not ipaddress.ip_address(settings.flower_address).is_loopback:
        message = f"FLOWER_BASIC_AUTH: must be set where FLOWER_ADDRESS is {settings.flower_address}"
        raise ConfigurationError(message)
    check_port(settings.flower_address, settings.flower_port, address_name="FLOWER_ADDRESS", port_name="FLOWER_PORT")
    logger.info("Flower starts", extra={"address": settings.flower_address, "port": settings.flower_port})
    # Not by argument, which every process of the machine could read.
    options.basic_auth = list(settings.flower_basic_auth)
    options.max_tasks = MAX_JOBS
    options.purge_offline_workers = GONE_SECONDS
    # It would tell workers to send Celery's task events.
    options.enable_events = False
    events.PROMETHEUS_METRICS = WorkerMetrics()
    # Flower leaves its own metrics open.
    Metrics.get = authenticated(Metrics.get)
    app = make_celery(settings.celery_broker_url)
    app.start(["flower", f"--port={settings.flower_port}", f"--address={settings.flower_address}"])
    return 0
