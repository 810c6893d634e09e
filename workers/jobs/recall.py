"""Finds existing answers for a job, so that it does not have to pay for a new one."""

import logging

from shared.cache.lookup import Address
from shared.domain.answer import Answer
from shared.errors import DatabaseUnavailable
from shared.jobs.errors import JobError, ProviderError
from shared.jobs.job import Job
from workers.bootstrap import WorkerServices

logger = logging.getLogger(__name__)


def recall(job: Job, cache_addresses: list[Address], worker: WorkerServices) -> Answer | None:
    """Return an existing answer, else None. A job with `refresh` accepts only an answer that it made itself."""
    refresh_purge_marks(worker)
    for cache_address in cache_addresses:
        answer = worker.services.cache.recall(cache_address, job.fallbacks)
        if answer is not None and (answer.job_id == job.id or not job.refresh):
            return answer
    return None


def recall_stale(job: Job, error: JobError, worker: WorkerServices) -> Answer | None:
    """Return a stale answer if the provider failed and the job may have one (RFC 5861, stale-if-error), else None."""
    if not (isinstance(error, ProviderError) and error.retryable and job.sharable) or job.refresh:
        return None
    refresh_purge_marks(worker)
    cache_address = Address(job.namespace, job.task_type, job.cache_key)
    return worker.services.cache.recall_stale(cache_address, worker.services.settings.stale_if_error_seconds)


def refresh_purge_marks(worker: WorkerServices) -> None:
    """Have purge times that are as new as a purge waits for; keep the old ones if PostgreSQL is away.

    The API checks every entry again.
    """
    try:
        worker.services.cache.purge_marks.refresh_if_old()
    except DatabaseUnavailable:
        logger.warning("Purge marks not refreshed")
