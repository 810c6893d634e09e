"""Celery's beat, which tells the worker of maintenance to sweep."""

import logging

from shared.config import Settings
from shared.jobs.queue import make_celery

logger = logging.getLogger(__name__)


def run_beat(settings: Settings) -> int:
    """Send messages in time until told to stop; return the exit code."""
    logger.info("Beat starts")
    app = make_celery(settings.celery_broker_url)
    app.Beat(loglevel=settings.log_level, quiet=True).run()
    return 0
