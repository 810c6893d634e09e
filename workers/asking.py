"""Asking the provider, when it may be asked, and telling the other workers how it is."""

from dataclasses import dataclass, replace

from shared.domain.answer import Usage
from shared.jobs.errors import (
    BreakerOpen,
    JobError,
    ModelNotAvailable,
    ProviderError,
    ProviderRateLimited,
    ProviderTimeout,
    ProviderUnavailable,
)
from shared.provider_limits.gate import Passage, ProviderGate
from shared.times import now
from workers.bootstrap import WorkerServices
from workers.jobs.leases import Lease
from workers.jobs.provider_calls import ProviderCall
from workers.providers.base import Call, Completion
from workers.providers.errors import advised


@dataclass(frozen=True, slots=True)
class Spoken:
    """The provider answered."""

    completion: Completion
    call: ProviderCall


@dataclass(frozen=True, slots=True)
class Refused:
    """It did not, or could not be asked: then there is no call."""

    error: JobError
    call: ProviderCall | None


Outcome = Spoken | Refused | None
"""None: the job's claim no longer holds."""


def ask(lease: Lease, call: Call, worker: WorkerServices) -> Outcome:
    """Ask the job's model once, if the gate lets us, and its fallback where the model is refused or out of order."""
    job, outcome = lease.job, _ask(lease, call, worker)
    if job.fallback_model is None or not isinstance(outcome, Refused):
        return outcome
    if not isinstance(outcome.error, ModelNotAvailable | BreakerOpen):
        return outcome
    if outcome.call is not None:
        worker.claims.end_call(outcome.call)
    second = _ask(lease, replace(call, model=job.fallback_model), worker)
    return _milder(outcome.error, second) if isinstance(second, Refused) else second


def _milder(first: JobError, second: Refused) -> Refused:
    """Of two models that don't answer, go by the one that may come back, or comes back sooner.

    An attempt that the second was asked in vain counts.
    """
    if not first.retryable or (second.error.retryable and not second.error.is_wait):
        return second
    sooner = second.error.is_wait and (second.error.retry_after or 0.0) < (first.retry_after or 0.0)
    return second if sooner else Refused(first, second.call)


def _ask(lease: Lease, call: Call, worker: WorkerServices) -> Outcome:
    job, gate = lease.job, worker.services.gate
    lease.expect(worker.services.settings.provider_timeout_seconds)
    try:
        provider = worker.providers.for_job(job.provider, job.queue)
        passage = gate.enter(job, call.model)
    except ProviderError as error:
        return Refused(error, None)
    call_id = worker.claims.begin_call(job, call.model)
    if call_id is None:
        gate.leave(passage)
        return None
    try:
        completion = provider.answer(call)
    except ProviderError as error:
        failed = ProviderCall(call_id, call.model, now(), error.code, error.usage or Usage())
        return Refused(advised(_reported(error, passage, gate), job, call.model), failed)
    gate.answered(passage)
    if completion.rest:
        gate.rest(passage, completion.rest)
    return Spoken(completion, ProviderCall(call_id, call.model, now(), None, completion.usage))


def _reported(error: ProviderError, passage: Passage, gate: ProviderGate) -> ProviderError:
    """Tell the gate of a failed call; return the job's error.

    A job that asked on behalf of all who wait made no attempt of its own. It goes to their end, so that one that
    the provider can't answer does not keep the breaker open.
    """
    if isinstance(error, ProviderUnavailable | ProviderTimeout):
        pause = gate.failed(passage)
        if pause is not None and passage.probes:
            return BreakerOpen(error.detail, retry_after=pause + 1)
        return error
    gate.answered(passage)
    if isinstance(error, ProviderRateLimited) and error.retry_after:
        gate.rest(passage, error.retry_after)
    return error
