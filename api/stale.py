"""Answers past their freshness (RFC 5861): when they are served, and whether a new one is fetched meanwhile."""

from dataclasses import dataclass

from shared.bootstrap import Services
from shared.cache.tiered import Lookup
from shared.domain.answer import Answer
from shared.domain.request import Request
from shared.provider_limits.gate import BreakerState


@dataclass(frozen=True, slots=True)
class Stale:
    """An old answer that will do. `refreshes`: a job should get a new one."""

    answer: Answer
    lookup: Lookup
    refreshes: bool


def use_stale(request: Request, lookup: Lookup | None, services: Services) -> Stale | None:
    """Return the old answer that a missed lookup found, if it may be served now.

    It may within STALE_WHILE_REVALIDATE_SECONDS, and within STALE_IF_ERROR_SECONDS while the breaker of the provider
    is open. Somebody has to find out whether the provider is back: when that is due, it is a job made here.
    """
    found = None if lookup is None else lookup.stale
    if found is None or found.answer is None:
        return None
    overdue = -found.visits[-1].ttl
    if overdue <= services.settings.stale_while_revalidate_seconds:
        return Stale(found.answer, found, refreshes=True)
    if overdue > services.settings.stale_if_error_seconds:
        return None
    state = services.gate.state(request.offer.provider, request.model)
    if state is BreakerState.CLOSED:
        return None
    return Stale(found.answer, found, refreshes=state is BreakerState.DUE)
