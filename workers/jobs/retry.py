"""Decides whether, and when, a job is tried again after an error."""

import random
from dataclasses import dataclass
from datetime import timedelta

from shared.config import Settings
from shared.jobs.errors import BreakerOpen, DeadlineExceeded, JobError
from shared.jobs.job import Job
from shared.times import now

MAX_BACKOFF_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class RetryLater:
    """A job is tried again in `seconds`. `counted`: False if the job only had to wait, so that the attempt is free."""

    seconds: float
    counted: bool


def retry_decision(job: Job, error: JobError, settings: Settings) -> RetryLater | JobError:
    """Return when the job is tried again, or the error with which it fails.

    The delay grows exponentially, is random between half of that and all of it, and is never shorter than the provider
    asked for (`Retry-After`). A job that only has to wait waits exactly as long as the error says, and uses up no
    attempt.
    """
    if not error.retryable or (job.attempts >= settings.max_attempts and not error.is_wait):
        return error
    asked = error.retry_after or 0.0
    seconds = asked if error.is_wait else max(_backoff(job.attempts, settings), asked)
    # A job that only waits becomes due on a whole second, up to one second later.
    if now() + timedelta(seconds=seconds + error.is_wait) <= job.deadline_at:
        return RetryLater(seconds, counted=not error.is_wait)
    if isinstance(error, BreakerOpen):
        return error
    return DeadlineExceeded(
        f"The next attempt would come after the job's deadline. The last one ended with: {error.detail}"
    )


def _backoff(attempts: int, settings: Settings) -> float:
    longest: float = min(MAX_BACKOFF_SECONDS, settings.retry_base_seconds * 2 ** (attempts - 1))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311  spreads load, guards nothing
