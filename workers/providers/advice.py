"""What the operator has to do about an error that no other attempt will mend."""

import logging

from shared.jobs.errors import ModelNotAvailable, ProviderError, ProviderPaymentRequired, ProviderUnauthorized
from shared.jobs.job import Job

_BY_QUEUE = {"text": ("Groq", "GROQ_API_KEY"), "image": ("Hugging Face", "HF_API_KEY")}
"""Each queue's vendor, whom a simulator only stands in for, and the variable of its key."""

logger = logging.getLogger(__name__)


def advised(error: ProviderError, job: Job, model: str) -> ProviderError:
    """Return the error with what to do about it in its detail, and log that; most errors are returned as they are."""
    advice = _advice(error, job, model)
    if advice is None:
        return error
    logger.error("Provider needs the operator", extra={"code": error.code, "model": model, "advice": advice})
    said = type(error)(f"{error.detail.rstrip('.')}. {advice}", retry_after=error.retry_after)
    said.usage = error.usage
    return said


def _advice(error: ProviderError, job: Job, model: str) -> str | None:
    vendor, key = _BY_QUEUE[job.queue]
    if isinstance(error, ProviderUnauthorized):
        return f"The operator has to check {key}: whether it is valid, and what it may be used for."
    if isinstance(error, ProviderPaymentRequired):
        return f"The operator has to top up the account at {vendor}."
    if isinstance(error, ModelNotAvailable):
        variable = f"{job.task_type.upper()}_{'MODEL' if model == job.model else 'FALLBACK_MODEL'}"
        return f"The operator has to set {variable} to a model that {vendor} serves to this account; {model} is none."
    return None
