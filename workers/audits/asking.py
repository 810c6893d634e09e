"""Asks a provider for an audit: within the day's dollars, and where jobs leave room."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from shared.domain.answer import Usage
from shared.domain.estimates import estimate, most_usage
from shared.domain.routes import Route
from shared.jobs.errors import ProviderError
from shared.times import now
from workers.asking import reported
from workers.audits.spending import Reservation, Spending
from workers.bootstrap import WorkerServices
from workers.jobs.provider_calls import ProviderCall, cost_of
from workers.providers.base import Completion, ModelCall


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

    def ask(self, audit_id: UUID, call: ModelCall, target: Target) -> Paid:
        """Ask once. Raises Unpriced, OverCap, and DatabaseUnavailable.

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
        try:
            completion = provider.answer(call)
        except ProviderError as error:
            told = reported(error, permit, services.gate)
            return Paid(told, self._settle(reservation, _ended(route, error.code, error.usage or Usage())))
        services.gate.answered(permit)
        if completion.pause:
            services.gate.pause(permit, completion.pause)
        return Paid(completion, self._settle(reservation, _ended(route, None, completion.usage)))

    def _settle(self, reservation: Reservation, ended: ProviderCall) -> Decimal:
        """Return what the call has cost; if nobody knows, what was reserved for it."""
        cost = cost_of(ended, self._worker.services.prices)
        if cost is None:
            return reservation.dollars
        self._spending.settle(reservation, cost)
        return cost


def _ended(route: Route, error_code: str | None, usage: Usage) -> ProviderCall:
    return ProviderCall(_NO_RECORD, route.provider, route.model, now(), error_code, usage)


_NO_RECORD = UUID(int=0)
