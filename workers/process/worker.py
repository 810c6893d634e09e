"""A worker of one queue, from its start to its end."""

import gc
import logging
import warnings

from celery.exceptions import CPendingDeprecationWarning, SecurityWarning

from shared.config import Settings
from shared.operation.workers import WorkerState
from shared.startup_checks import check_open_files
from shared.times import now
from workers.audits.auditor import Auditor
from workers.bootstrap import build_worker
from workers.process.consumer import QuietWorker
from workers.process.heartbeats import Heartbeats
from workers.process.monitoring import Monitoring, check_metrics_port
from workers.process.node_names import new_node_name
from workers.process.remote_control import only_answer_questions
from workers.process.shutdown import Shutdown

MAINTENANCE_CONCURRENCY = 2
MAINTENANCE_TRANSACTION_TIMEOUT_SECONDS = 10.0
"""A step of a sweep takes a fraction of a second; on a machine in distress it may take its time."""
FILES_OF_A_PROCESS = 64
FILES_OF_A_JOB = 6
"""Connections to the provider and to Redis, a picture, and what is being replaced; each memcached node adds one."""

logger = logging.getLogger(__name__)


def run_worker(queue: str, settings: Settings) -> int:
    """Run the jobs of a queue until told to stop; return the exit code. Enables the garbage collector.

    Raises ConfigurationError if the system allows too few open files, or nothing can listen where metrics are served.
    """
    check_open_files(_files_needed(settings), "WORKER_CONCURRENCY")
    check_metrics_port(settings, queue)
    if queue == "maintenance":
        worker, concurrency = build_worker(settings, MAINTENANCE_TRANSACTION_TIMEOUT_SECONDS), MAINTENANCE_CONCURRENCY
    else:
        worker, concurrency = build_worker(settings), settings.worker_concurrency
    worker.leases.start()
    auditor = Auditor(worker, queue)
    if settings.audit.hit_ratio and queue != "maintenance":
        auditor.start()
        worker.metrics.watch([auditor.loop])
    worker.services.tracer.start("askonce-worker")
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
    monitoring = Monitoring(worker, WorkerState(node_name, queue, concurrency, 0, now()))
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
    # What is built by now lives as long as the process: the garbage collector need not look through it again and again.
    gc.freeze()
    gc.enable()
    try:
        monitoring.start()
        running.start()
    finally:
        monitoring.close()
        auditor.close()
        worker.close()
        logger.info("Worker has ended", extra={"queue": queue})
    return int(running.exitcode or 0)


def _files_needed(settings: Settings) -> int:
    of_a_job = FILES_OF_A_JOB + len(settings.memcached_servers)
    return FILES_OF_A_PROCESS + settings.database_pool_size + settings.worker_concurrency * of_a_job
