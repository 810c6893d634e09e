"""Whether, and when, a job that met an error is tried again."""

import random
from datetime import timedelta

from shared.config import Settings
from shared.job_errors import DeadlineExceeded, JobError
from shared.jobs import Job
from shared.times import now

MAX_BACKOFF_SECONDS = 300.0


def delay_before_retry(job: Job, error: JobError, settings: Settings) -> float | JobError:
    """Return the seconds to wait, or the error with which the job fails.

    Exponential backoff with full jitter above half; what the provider asked for (`Retry-After`) is the least.
    """
    if not error.retryable or job.attempts >= settings.max_attempts:
        return error
    backoff = min(MAX_BACKOFF_SECONDS, settings.retry_base_seconds * 2 ** (job.attempts - 1))
    delay: float = max(backoff * random.uniform(0.5, 1.0), error.retry_after or 0.0)  # noqa: S311  spreads load, guards nothing
    if now() + timedelta(seconds=delay) > job.deadline_at:
        message = f"The next attempt would come after the job's deadline. The last one ended with: {error.detail}"
        return DeadlineExceeded(message)
    return delay
