"""Asks a provider for an audit: within the day's dollars, and where jobs leave room."""

from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from time import perf_counter
from uuid import UUID

from shared.domain.answer import Usage
from shared.domain.estimates import estimate, most_usage
from shared.domain.routes import Route
from shared.jobs.errors import ProviderError
from shared.times import now
from shared.traces.context import TraceContext
from workers.asking import reported
from workers.audits.spending import Reservation, Spending
from workers.bootstrap import WorkerServices
from workers.jobs.provider_calls import ProviderCall, cost_of
from workers.providers.base import Completion, ModelCall
from workers.tracing import traced_call

_NO_RECORD = UUID(int=0)
"""In place of the id of a row in `provider_calls`."""


class Unpriced(Exception):
    """Nobody knows what the call would cost, so it was not made."""


class OverCap(Exception):
    """The day's dollars have no room for the call, so it was not made."""


@dataclass(frozen=True, slots=True)
class Paid:
    """The result of a call: a completion, or why there is none; and what it has cost at most, in US dollars."""

    outcome: Completion | ProviderError
    dollars: Decimal


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to ask. `vendor`: whose API that is. `task_type`: of the offer that knows the vendor of its models."""

    route: Route
    vendor: str
    task_type: str


class AuditAsking:
    """Calls to providers for audits. They are on no record of a job, and no client's budget pays for them."""

    def __init__(self, worker: WorkerServices, spending: Spending) -> None:
        self._worker = worker
        self._spending = spending

    def ask(self, audit_id: UUID, call: ModelCall, target: Target, attempt: TraceContext | None = None) -> Paid:
        """Ask once. `attempt`: the span that the call belongs to. Raises Unpriced, OverCap, and DatabaseUnavailable.

        Raises a ProviderError if the provider was not asked: BreakerOpen and ProviderRateLimited say for how long to
        wait, if that is known. One that was asked, and failed, is in what this returns.
        """
        services, route = self._worker.services, target.route
        most = estimate(most_usage(call.task_type, call.options, call.input), services.prices, [route]).dollars
        if most is None:
            raise Unpriced
        provider = self._worker.providers.for_job(route.provider, target.vendor)
        permit = services.gate.acquire_spare(audit_id, target.task_type, route)
        reservation = self._spending.reserve(most)
        if reservation is None:
            services.gate.release(permit)
            raise OverCap
        began = perf_counter()
        try:
            completion = traced_call(attempt, call, route, services.tracer, partial(provider.answer, call))
        except ProviderError as error:
            told = reported(error, permit, services.gate)
            return Paid(told, self._ended(reservation, route, error, perf_counter() - began))
        services.gate.answered(permit)
        if completion.pause:
            services.gate.pause(permit, completion.pause)
        return Paid(completion, self._ended(reservation, route, completion, perf_counter() - began))

    def _ended(
        self, reservation: Reservation, route: Route, end: Completion | ProviderError, seconds: float
    ) -> Decimal:
        """Count a call that took this long; return what it has cost, or what was reserved for it if nobody knows."""
        error_code = end.code if isinstance(end, ProviderError) else None
        call = ProviderCall(_NO_RECORD, route.provider, route.model, now(), error_code, end.usage or Usage())
        self._worker.metrics.calls.ended(call, seconds)
        cost = cost_of(call, self._worker.services.prices)
        if cost is None:
            return reservation.dollars
        self._spending.settle(reservation, cost)
        return cost
