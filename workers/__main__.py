"""`python -m workers ROLE`: text, image or maintenance run a worker for that queue; beat and flower themselves."""

import argparse
import logging
import sys
import warnings
from collections.abc import Callable

from celery.exceptions import CPendingDeprecationWarning, SecurityWarning
from celery.signals import setup_logging

from celeryconfig import QUEUE_NAMES
from shared.config import Settings, load_settings
from shared.errors import ConfigurationError
from shared.jobs.queue import make_celery
from shared.logs.format import configure_logging
from shared.startup_checks import check_open_files
from workers.bootstrap import build_worker
from workers.process.consumer import QuietWorker
from workers.process.heartbeats import Heartbeats
from workers.process.node_names import new_node_name
from workers.process.remote_control import only_answer_questions
from workers.process.shutdown import Shutdown, end_at_once_when_told

MAINTENANCE_CONCURRENCY = 2
MAINTENANCE_TRANSACTION_TIMEOUT_SECONDS = 10.0
"""A step of a sweep takes a fraction of a second; on a machine in distress it may take its time."""
FILES_OF_A_PROCESS = 64
FILES_OF_A_JOB = 6
"""Connections to the provider and to Redis, a picture, and what is being replaced; each memcached node adds one."""

logger = logging.getLogger(__name__)


def main(argv: list[str] | None = None) -> int:
    """Run one role until it is told to stop."""
    roles: dict[str, Callable[[Settings], int]] = {"beat": _run_beat, "flower": _run_flower}
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    parser.add_argument("role", choices=[*QUEUE_NAMES, *roles])
    role = parser.parse_args(argv).role
    try:
        settings = load_settings()
        configure_logging(settings.log_level, settings.log_format)
        setup_logging.connect(_keep_our_logging)
        return roles[role](settings) if role in roles else _run_worker(role, settings)
    except ConfigurationError as err:
        sys.stderr.write(f"{err.detail}\n")
        return 2


def _run_worker(queue: str, settings: Settings) -> int:
    check_open_files(_files_needed(settings), "WORKER_CONCURRENCY")
    if queue == "maintenance":
        worker, concurrency = build_worker(settings, MAINTENANCE_TRANSACTION_TIMEOUT_SECONDS), MAINTENANCE_CONCURRENCY
    else:
        worker, concurrency = build_worker(settings), settings.worker_concurrency
    worker.leases.start()
    # It warns of root because of pickle, which we do not accept, and at each lost connection of jobs that run on.
    for warning in (SecurityWarning, CPendingDeprecationWarning):
        warnings.simplefilter("ignore", warning)
    Shutdown(worker, settings.shutdown_grace_seconds).connect()
    if settings.flower_read_only:
        only_answer_questions()
    logger.info("Worker starts", extra={"queue": queue, "concurrency": concurrency})
    worker.celery.steps["worker"].add(Heartbeats)
    node_name = new_node_name(queue)
    worker.events.start(worker.celery, node_name)
    running = QuietWorker(
        app=worker.celery,
        pool="workers.process.pool:TaskPool",
        concurrency=concurrency,
        queues=[queue],
        hostname=node_name,
        without_heartbeat=True,
        without_gossip=True,
        without_mingle=True,
        loglevel=settings.log_level,
        quiet=True,
    )
    try:
        running.start()
    finally:
        worker.close()
        logger.info("Worker has ended", extra={"queue": queue})
    return int(running.exitcode or 0)


def _files_needed(settings: Settings) -> int:
    of_a_job = FILES_OF_A_JOB + len(settings.memcached_servers)
    return FILES_OF_A_PROCESS + settings.database_pool_size + settings.worker_concurrency * of_a_job


def _run_beat(settings: Settings) -> int:
    end_at_once_when_told("Beat")
    logger.info("Beat starts")
    app = make_celery(settings.celery_broker_url)
    app.Beat(loglevel=settings.log_level, quiet=True).run()
    return 0


def _run_flower(settings: Settings) -> int:
    from workers.process.flower import run_monitor  # noqa: PLC0415  a web server that no other role needs in memory

    end_at_once_when_told("Flower")
    return run_monitor(settings)


def _keep_our_logging(**_: object) -> None:
    """Being connected is enough: Celery then leaves the logging alone."""


if __name__ == "__main__":
    sys.exit(main())
