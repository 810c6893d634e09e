"""Asks a provider if the gate permits it, and reports the result to the gate, which all workers share."""

from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from uuid import UUID

from shared.domain.answer import Usage
from shared.domain.catalogue import vendor_of
from shared.domain.estimates import Estimate, estimate, most_usage
from shared.domain.providers import STREAM_TIMEOUTS
from shared.domain.routes import Route
from shared.domain.task_type import PassedOn
from shared.jobs.deltas import End
from shared.jobs.errors import (
    BreakerOpen,
    JobBudgetExhausted,
    JobError,
    ModelNotAvailable,
    ProviderError,
    ProviderPaymentRequired,
    ProviderRateLimited,
    ProviderTimeout,
    ProviderUnauthorized,
    ProviderUnavailable,
)
from shared.jobs.job import Job
from shared.provider_limits.gate import Permit, ProviderGate
from shared.times import now
from workers.bootstrap import WorkerServices
from workers.jobs.leases import Lease
from workers.jobs.provider_calls import ProviderCall
from workers.providers.base import Completion, ModelCall, OnChunk, Provider
from workers.providers.errors import with_operator_hint
from workers.tracing import attempt_span, traced_call


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

OF_THE_PROVIDER = (ProviderUnauthorized, ProviderPaymentRequired, ProviderRateLimited)
"""Errors for which every model of a provider would refuse, and another provider need not."""

DISTURBANCES = (ProviderUnavailable, ProviderTimeout)
"""Errors that may have passed at the next attempt. If not, a fallback is asked."""


def ask(lease: Lease, call: ModelCall, worker: WorkerServices) -> Outcome:
    """Ask the job's model once, if the gate permits it; return the outcome.

    Asks each of its fallbacks too, in order, for as long as the one before it can't answer for a reason of its own: see
    `_is_for_next`.
    """
    job, asked = lease.job, lease.job.route
    outcome = _ask(lease, call, asked, worker)
    error = outcome.error if isinstance(outcome, NotAnswered) else None
    for route in job.fallbacks:
        if error is None or not isinstance(outcome, NotAnswered):
            break
        if not _is_for_next(error, asked, route, job.attempts):
            continue
        if outcome.call is not None:
            worker.claims.end_call(job, outcome.call)
        following = _ask(lease, call, route, worker)
        asked, error = route, following.error if isinstance(following, NotAnswered) else None
        outcome = _preferred_error(outcome.error, following) if isinstance(following, NotAnswered) else following
    return outcome


def _is_for_next(error: JobError, asked: Route, following: Route, attempts: int) -> bool:
    """Return whether a fallback is asked after this error: the model is not to be had, or not of its provider."""
    if isinstance(error, ModelNotAvailable | BreakerOpen) or (attempts > 1 and isinstance(error, DISTURBANCES)):
        return True
    return asked.provider != following.provider and isinstance(error, OF_THE_PROVIDER)


def _preferred_error(first: JobError, second: NotAnswered) -> NotAnswered:
    """Return the error that decides about the job when neither of two models has answered.

    That is the error of the model that may recover, or recovers sooner. A failed call to a fallback counts as an
    attempt.
    """
    if not first.retryable or (second.error.retryable and not second.error.is_wait):
        return second
    sooner = second.error.is_wait and (second.error.retry_after or 0.0) < (first.retry_after or 0.0)
    return second if sooner else NotAnswered(first, second.call)


def _ask(lease: Lease, question: ModelCall, route: Route, worker: WorkerServices) -> Outcome:
    job, gate, call = lease.job, worker.services.gate, replace(question, model=route.model)
    vendor = vendor_of(worker.services.offers, job.task_type, route)
    is_heard = job.streams and isinstance(call.task_type.work, PassedOn)
    lease.expect(worker.services.settings.seconds_of_call(vendor) * (STREAM_TIMEOUTS if is_heard else 1))
    try:
        provider = worker.providers.for_job(route.provider, vendor)
        permit = gate.acquire(job, route)
    except ProviderError as error:
        return NotAnswered(error, None)
    try:
        call_id = worker.claims.begin_call(job, route, _estimate(job, call, route, worker))
    except JobBudgetExhausted as error:
        gate.release(permit)
        return NotAnswered(error, None)
    if call_id is None:
        gate.release(permit)
        return None
    lease.makes(call_id)
    began = perf_counter()
    try:
        heard = worker.relay.open(job) if is_heard else None
        tracer, answer = worker.services.tracer, partial(_answer, provider, call, heard)
        completion = traced_call(attempt_span(job, tracer), call, route, tracer, answer)
    except ProviderError as error:
        worker.relay.end(job, End.LOST)
        failed = _ended(call_id, route, perf_counter() - began, error, worker)
        known = worker.services.settings.providers[vendor]
        return NotAnswered(with_operator_hint(reported(error, permit, gate), job, route.model, known), failed)
    gate.answered(permit)
    if completion.pause:
        gate.pause(permit, completion.pause)
    return Answered(completion, _ended(call_id, route, perf_counter() - began, completion, worker))


def _ended(
    call_id: UUID, route: Route, seconds: float, end: Completion | ProviderError, worker: WorkerServices
) -> ProviderCall:
    """Count a call that took this long; return how it ended."""
    error_code = end.code if isinstance(end, ProviderError) else None
    call = ProviderCall(call_id, route.provider, route.model, now(), error_code, end.usage or Usage())
    worker.metrics.calls.ended(call, seconds)
    return call


def _answer(provider: Provider, call: ModelCall, heard: OnChunk | None) -> Completion:
    return provider.answer(call) if heard is None else provider.stream(call, heard)


def _estimate(job: Job, call: ModelCall, route: Route, worker: WorkerServices) -> Estimate | None:
    """Return what the call may cost at most, if budgets pay it."""
    if not job.budgeted:
        return None
    usage = most_usage(call.task_type, call.options, call.input)
    return estimate(usage, worker.services.prices, [route])


def reported(error: ProviderError, permit: Permit, gate: ProviderGate) -> ProviderError:
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
