"""Counts attempts, and the ends of jobs."""

from collections.abc import Iterator

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from shared.jobs.errors import AttemptsExhausted, DeadlineExceeded
from shared.jobs.job import Job, JobStatus
from shared.metrics.series import Counts, Durations
from shared.times import now
from workers.jobs.attempt import AttemptEnd, Ended

BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0)

_STATUS = {Ended.COMPLETED: JobStatus.COMPLETED, Ended.FAILED: JobStatus.FAILED}


class JobCounts(Collector):
    """Safe to use from many threads."""

    def __init__(self) -> None:
        self._attempts = Counts(
            "askonce_job_attempts", "Attempts that have ended, by how.", ("task_type", "end", "code")
        )
        self._ended = Counts("askonce_jobs_ended", "Jobs that have ended.", ("task_type", "status", "code"))
        self._seconds = Durations(
            "askonce_job_duration_seconds", "Time from the call that made a job to its end.", BOUNDS, ("task_type",)
        )
        # Prometheus sees only the growth of what was there before.
        for code in (DeadlineExceeded.code, AttemptsExhausted.code):
            self.failed_without_attempt(code, 0)

    def attempt_ended(self, job: Job, end: AttemptEnd) -> None:
        """Count an attempt, and with the last one its job."""
        code = end.code or ""
        self._attempts.add(job.task_type, end.ended.value, code)
        status = _STATUS.get(end.ended)
        if status is not None:
            self._ended.add(job.task_type, status.value, code)
            self._seconds.add((now() - job.created_at).total_seconds(), job.task_type)

    def failed_without_attempt(self, code: str, jobs: int) -> None:
        """Count jobs that maintenance has failed; it does not know their task types."""
        self._ended.add("", JobStatus.FAILED.value, code, amount=jobs)

    def collect(self) -> Iterator[Metric]:
        """Return the metrics as they are now."""
        for each in (self._attempts, self._ended, self._seconds):
            yield from each.collect()
