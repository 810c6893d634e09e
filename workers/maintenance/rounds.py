"""The maintenance tasks that beat starts: sweep, fold, drain, prune. Two processes may run them at once."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps

from celeryconfig import QUEUE_NAMES
from shared.bootstrap import Services
from shared.errors import Unavailable
from shared.jobs.errors import AttemptsExhausted, DeadlineExceeded
from workers.audits.table import give_up_expired
from workers.maintenance.folding import fold_provider_calls
from workers.maintenance.lease_grace import LeaseGracePeriod
from workers.maintenance.overflow import drain
from workers.maintenance.pruning import Pruning
from workers.maintenance.sweeps import Sweeps
from workers.metrics.exported import WorkerMetrics
from workers.process.job_events import JobEvents

ROUND_SECONDS = 2.7
"""The length of a round of one task, so that other tasks get their turn. A little less than the three seconds after
which beat sends its next message to prune, which goes on with the work."""

JOB_QUEUES = tuple(name for name in QUEUE_NAMES if name != "maintenance")

TASKS = ("sweep_jobs", "fold_statistics", "drain_overflow", "prune")

LOST_AFTER_SECONDS = 60
"""How many seconds after the provider timeout a call without an end counts as lost."""


logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Round:
    """The result of a round: rows by sweep, for sweeps that found any; and whether work was left for the next round.

    `failed`: the sweeps that failed.
    """

    rows: Mapping[str, int]
    unfinished: bool
    failed: Sequence[str] = ()


def work_off(sweeps: Mapping[str, Iterator[int]], seconds: float) -> Round:
    """Run one step of each sweep in turn until all are done or the time is over; each sweep gets at least one step.

    A sweep that fails waits for the next round; the others go on.
    """
    until = time.monotonic() + seconds
    rows: Counter[str] = Counter()
    failed: list[str] = []
    going = dict(sweeps)
    while going:
        steps = {name: _step(name, sweep, failed) for name, sweep in going.items()}
        rows.update({name: step for name, step in steps.items() if step})
        going = {name: sweep for name, sweep in going.items() if steps[name] is not None}
        if time.monotonic() >= until:
            break
    return Round(rows, bool(going), failed)


def _step(name: str, sweep: Iterator[int], failed: list[str]) -> int | None:
    """Return how many rows the next step changed; None if there is no further step, or it failed."""
    try:
        return next(sweep, None)
    except Unavailable as err:
        failed.append(name)
        logger.warning("Sweep left to the next round", extra={"sweep": name, "reason": type(err).__name__})
    except Exception:  # an error of one sweep must not stop the others
        failed.append(name)
        logger.exception("Sweep failed", extra={"sweep": name})
    return None


def _one_at_a_time(task: Callable[["Maintenance"], None]) -> Callable[["Maintenance"], None]:
    """Skip a round while the previous one of the same task still runs in this process."""

    @wraps(task)
    def guarded(self: "Maintenance") -> None:
        running = self.running[task.__name__]
        if running.acquire(blocking=False):
            try:
                task(self)
            finally:
                running.release()

    return guarded


class Maintenance:
    """The maintenance tasks. Each call is one round, which is limited in time."""

    def __init__(
        self, services: Services, events: JobEvents, metrics: WorkerMetrics, round_seconds: float = ROUND_SECONDS
    ) -> None:
        self._services = services
        self._events = events
        self._metrics = metrics
        settings = services.settings
        self._round_seconds = round_seconds
        self._sweeps = Sweeps(services.database, settings.republish_seconds)
        self._lease_grace = LeaseGracePeriod(settings.lease_seconds)
        self._pruning = Pruning(
            services.database,
            settings.retention_days,
            services.cache.kept_seconds,
            keeps_payloads=settings.log_payloads == "full",
            embedded_seconds=services.embeddings.kept_seconds,
        )
        self.running: Mapping[str, threading.Lock] = {name: threading.Lock() for name in TASKS}

    @_one_at_a_time
    def sweep_jobs(self) -> None:
        """Fail jobs past their deadline, queue lost jobs again, publish due jobs."""
        sweeps = {"overdue": self._fail_overdue(), "lost": self._take_back_lost()}
        sweeps |= {f"due_{queue}": self._publish_due(queue) for queue in JOB_QUEUES}
        with self._lease_grace.round():
            watched = {name: self._lease_grace.watch(sweep) for name, sweep in sweeps.items()}
            self._work_off("sweep_jobs", watched, logging.INFO)

    @_one_at_a_time
    def fold_statistics(self) -> None:
        """Add ended provider calls to the aggregates."""
        settings = self._services.settings
        lost_after = settings.longest_call_seconds + LOST_AFTER_SECONDS
        stream_lost_after = settings.longest_stream_seconds + LOST_AFTER_SECONDS
        self._work_off(
            "fold_statistics",
            {
                "lost_calls": self._sweeps.close_lost_calls(lost_after, stream_lost_after),
                "calls": fold_provider_calls(self._services.database),
            },
        )

    @_one_at_a_time
    def drain_overflow(self) -> None:
        """Write the request records that waited in Redis while PostgreSQL was away."""
        records = drain(self._services.request_overflow, self._services.request_writer)
        self._work_off("drain_overflow", {"records": records}, logging.INFO)

    @_one_at_a_time
    def prune(self) -> None:
        """Delete unused pictures, and data past its retention."""
        pruning = self._pruning
        self._work_off(
            "prune",
            {
                "pictures": pruning.delete_pictures(),
                "requests": pruning.delete_requests(),
                "jobs": pruning.delete_jobs(),
                "calls": pruning.delete_provider_calls(),
                "budgets": pruning.delete_budgets(),
                "idempotency_keys": pruning.delete_idempotency_keys(),
                "responses": pruning.delete_responses(),
                "results": pruning.forget_results(),
                "audits": give_up_expired(self._services.database),
            },
        )

    def _work_off(self, task: str, sweeps: Mapping[str, Iterator[int]], level: int = logging.DEBUG) -> None:
        done = work_off(sweeps, self._round_seconds)
        self._metrics.maintenance.round(task, done.rows, done.failed)
        if done.rows:
            logger.log(level, "Round of maintenance", extra={"unfinished": done.unfinished, **done.rows})

    def _fail_overdue(self) -> Iterator[int]:
        for ids in self._sweeps.fail_overdue():
            self._events.failed(ids, DeadlineExceeded.code)
            self._metrics.jobs.failed_without_attempt(DeadlineExceeded.code, len(ids))
            self._services.notifier.jobs_ended(ids)
            logger.warning("Jobs past their deadline", extra={"jobs": len(ids)})
            yield len(ids)

    def _take_back_lost(self) -> Iterator[int]:
        """Queue lost jobs again, but not in the lease grace period, even if that begins meanwhile."""
        taken = self._sweeps.take_back_lost(self._services.settings.max_attempts)
        while self._lease_grace.is_over and (batch := next(taken, None)) is not None:
            self._events.failed(batch.failed, AttemptsExhausted.code)
            self._metrics.maintenance.leases_expired(batch.rescued, len(batch.failed))
            self._metrics.jobs.failed_without_attempt(AttemptsExhausted.code, len(batch.failed))
            self._services.notifier.jobs_ended(batch.failed)
            logger.warning("Jobs lost by their workers", extra={"failed": len(batch.failed), "rescued": batch.rescued})
            yield len(batch.failed) + batch.rescued

    def _publish_due(self, queue: str) -> Iterator[int]:
        """Publish due jobs of a queue until the queue is full."""
        published = self._sweeps.publish_due(queue, self._services.queue.publish_all)
        while not self._services.queue.is_full(queue) and (jobs := next(published, None)) is not None:
            yield jobs
