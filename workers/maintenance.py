"""What beat runs: publish what is due, rescue lost jobs, fold statistics, prune. Safe to run twice at once."""

import logging
from collections.abc import Callable
from functools import wraps

from shared.bootstrap import Services
from shared.errors import DatabaseUnavailable, ServerDown
from shared.job_errors import AttemptsExhausted, DeadlineExceeded
from workers.draining import drain
from workers.job_events import JobEvents
from workers.pruning import Pruning
from workers.respite import Respite
from workers.sweeps import Sweeps

PUBLISH_BATCH = 500
FOLD_BATCH = 1000
PRUNE_BATCH = 1000
LOST_AFTER_SECONDS = 60
"""Beyond the provider timeout, after which the end of a call is no longer to be expected."""

logger = logging.getLogger(__name__)


def _unless_postgres_is_away(step: Callable[["Maintenance"], None]) -> Callable[["Maintenance"], None]:
    """Leave a step to the next round when PostgreSQL is away, with one line instead of a traceback a second."""

    @wraps(step)
    def guarded(self: "Maintenance") -> None:
        try:
            step(self)
        except DatabaseUnavailable:
            logger.warning("Maintenance waits for PostgreSQL", extra={"step": step.__name__})

    return guarded


class Maintenance:
    """Bounded pieces of housekeeping; what is left over waits for the next round."""

    def __init__(self, services: Services, events: JobEvents) -> None:
        """Take the shared services, and who tells of jobs that fail here."""
        self._services = services
        self._events = events
        settings = services.settings
        self._sweeps = Sweeps(services.database, settings.republish_seconds)
        self._respite = Respite(settings.lease_seconds)
        self._pruning = Pruning(services.database, settings.retention_days, services.cache.kept_seconds)

    @_unless_postgres_is_away
    def sweep_jobs(self) -> None:
        """End what is past its deadline, take back what its worker lost, publish what is due."""
        rescued = 0
        with self._respite.after_outage():
            failed = self._sweeps.fail_overdue()
            self._events.failed(failed, DeadlineExceeded.code)
        if self._respite.is_over:
            poisonous = self._sweeps.fail_poisonous(self._services.settings.max_attempts)
            self._events.failed(poisonous, AttemptsExhausted.code)
            failed += poisonous
            rescued = self._sweeps.rescue_lost()
        for job_id in failed:
            self._services.notifier.job_ended(job_id)
        if failed or rescued:
            logger.warning("Jobs swept", extra={"failed": len(failed), "rescued": rescued})
        published = self._sweeps.publish_due(PUBLISH_BATCH, self._services.queue.publish)
        if published:
            logger.info("Jobs published", extra={"jobs": published})

    @_unless_postgres_is_away
    def fold_statistics(self) -> None:
        """Add ended provider calls to the sums."""
        lost = self._sweeps.close_lost_calls(self._services.settings.provider_timeout_seconds + LOST_AFTER_SECONDS)
        if lost:
            logger.warning("Provider calls lost with their workers", extra={"calls": lost})
        while self._services.statistics.fold_provider_calls(FOLD_BATCH) == FOLD_BATCH:
            pass

    @_unless_postgres_is_away
    def drain_overflow(self) -> None:
        """Write the request records that waited in Redis while PostgreSQL was away."""
        try:
            drained = drain(self._services.request_log.overflow, self._services.request_writer)
        except ServerDown:
            logger.warning("Request records can't be drained: Redis is away")
            return
        if drained:
            logger.info("Request records drained", extra={"records": drained})

    @_unless_postgres_is_away
    def prune(self) -> None:
        """Delete pictures nobody needs and records past their retention, in small batches."""
        pruning = self._pruning
        steps = (
            pruning.delete_pictures,
            pruning.delete_requests,
            pruning.delete_jobs,
            pruning.delete_provider_calls,
            pruning.forget_results,
        )
        for step in steps:
            while step(PRUNE_BATCH) == PRUNE_BATCH:
                pass
