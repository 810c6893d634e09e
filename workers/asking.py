"""Asks a provider if the gate permits it, and reports the result to the gate, which all workers share."""

from dataclasses import dataclass, replace

from shared.domain.answer import Usage
from shared.domain.catalogue import vendor_of
from shared.domain.estimates import Estimate, estimate, most_usage
from shared.jobs.errors import (
    BreakerOpen,
    JobBudgetExhausted,
    JobError,
    ModelNotAvailable,
    ProviderError,
    ProviderRateLimited,
    ProviderTimeout,
    ProviderUnavailable,
)
from shared.jobs.job import Job
from shared.provider_limits.gate import Permit, ProviderGate
from shared.times import now
from workers.bootstrap import WorkerServices
from workers.jobs.leases import Lease
from workers.jobs.provider_calls import ProviderCall
from workers.providers.base import Completion, ModelCall
from workers.providers.errors import with_operator_hint


@dataclass(frozen=True, slots=True)
class Answered:
    """The provider answered."""

    completion: Completion
    call: ProviderCall


@dataclass(frozen=True, slots=True)
class NotAnswered:
    """The provider did not answer, or was not asked; then `call` is None."""

    error: JobError
    call: ProviderCall | None


Outcome = Answered | NotAnswered | None
"""None: the job's claim no longer holds."""


def ask(lease: Lease, call: ModelCall, worker: WorkerServices) -> Outcome:
    """Ask the job's model once, if the gate permits it; return the outcome.

    Asks the fallback model too, if the provider does not serve the first one or its breaker is open.
    """
    job, outcome = lease.job, _ask(lease, call, worker)
    if job.fallback_model is None or not isinstance(outcome, NotAnswered):
        return outcome
    if not isinstance(outcome.error, ModelNotAvailable | BreakerOpen):
        return outcome
    if outcome.call is not None:
        worker.claims.end_call(job, outcome.call)
    second = _ask(lease, replace(call, model=job.fallback_model), worker)
    return _preferred_error(outcome.error, second) if isinstance(second, NotAnswered) else second


def _preferred_error(first: JobError, second: NotAnswered) -> NotAnswered:
    """Return the error that decides about the job when neither model has answered.

    That is the error of the model that may recover, or recovers sooner. A failed call to the fallback model counts as
    an attempt.
    """
    if not first.retryable or (second.error.retryable and not second.error.is_wait):
        return second
    sooner = second.error.is_wait and (second.error.retry_after or 0.0) < (first.retry_after or 0.0)
    return second if sooner else NotAnswered(first, second.call)


def _ask(lease: Lease, call: ModelCall, worker: WorkerServices) -> Outcome:
    job, gate = lease.job, worker.services.gate
    vendor = vendor_of(worker.services.offers, job.task_type, job.provider, call.model)
    lease.expect(worker.services.settings.seconds_of_call(vendor))
    try:
        provider = worker.providers.for_job(job.provider, vendor)
        permit = gate.acquire(job, call.model)
    except ProviderError as error:
        return NotAnswered(error, None)
    try:
        call_id = worker.claims.begin_call(job, call.model, _estimate(job, call, worker))
    except JobBudgetExhausted as error:
        gate.release(permit)
        return NotAnswered(error, None)
    if call_id is None:
        gate.release(permit)
        return None
    try:
        completion = provider.answer(call)
    except ProviderError as error:
        failed = ProviderCall(call_id, job.provider, call.model, now(), error.code, error.usage or Usage())
        asked = worker.services.settings.providers[vendor]
        return NotAnswered(with_operator_hint(_reported(error, permit, gate), job, call.model, asked), failed)
    gate.answered(permit)
    if completion.pause:
        gate.pause(permit, completion.pause)
    return Answered(completion, ProviderCall(call_id, job.provider, call.model, now(), None, completion.usage))


def _estimate(job: Job, call: ModelCall, worker: WorkerServices) -> Estimate | None:
    """Return what the call may cost at most, if budgets pay it."""
    if not job.budgeted:
        return None
    usage = most_usage(call.task_type, call.options, call.input)
    return estimate(usage, worker.services.prices, job.provider, [call.model])


def _reported(error: ProviderError, permit: Permit, gate: ProviderGate) -> ProviderError:
    """Report a failed call to the gate; return the error for the job.

    A failed probe does not count as an attempt. Its job waits a second longer than the other jobs, so that a job which
    the provider can't answer does not keep the breaker open.
    """
    if isinstance(error, ProviderUnavailable | ProviderTimeout):
        pause = gate.failed(permit)
        if pause is not None and permit.probes:
            return BreakerOpen(error.detail, retry_after=pause + 1)
        return error
    gate.answered(permit)
    if isinstance(error, ProviderRateLimited) and error.retry_after:
        gate.pause(permit, error.retry_after)
    return error
