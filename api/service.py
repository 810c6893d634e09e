"""USE CASE 1: a request comes in. Serve it from a tier, or turn it into a job that will end, whatever crashes.

`recall` comes first and waits for no database; what it can't answer goes on to `submit`.
"""

import logging
from dataclasses import dataclass

from api.bootstrap import ApiServices
from api.http.headers import CacheDirectives
from api.jobs.store import Acceptance
from shared.cache.tiered import Address, Lookup
from shared.domain.answer import Answer
from shared.domain.request import Request
from shared.errors import DatabaseUnavailable, NotCached, ProviderNotConfigured, QueueFull, Unavailable
from shared.jobs.job import Job
from shared.provider_limits.gate import BreakerState

MAX_RACES = 3

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hit:
    """A tier had the answer."""

    answer: Answer
    lookup: Lookup


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer will be found by this job. `lookup` is None when the request forbade the cache."""

    job: Job
    joined: bool
    lookup: Lookup | None


@dataclass(frozen=True, slots=True)
class NotServed:
    """No tier had the answer, and no job could be made: the request forbade it, or something is missing or away."""

    lookup: Lookup | None
    error: NotCached | Unavailable


@dataclass(frozen=True, slots=True)
class Missed:
    """Memory has no answer, and a job may be made. `lookup` is None when the request forbade the cache."""

    lookup: Lookup | None


def recall(
    request: Request, directives: CacheDirectives, services: ApiServices, request_id: str
) -> Hit | NotServed | Missed:
    """Answer from memory, or say that only a job can answer.

    Waits for no server but the tiers, unless an old answer needs a job that refreshes it: `request_id` goes with that,
    for the log.
    """
    lookup = look_up(request, directives, services)
    hit = _from_memory(request, directives, lookup, services, request_id)
    if hit is not None:
        return hit
    if directives.only_if_cached:
        return NotServed(lookup, NotCached())
    if not request.serving.configured:
        return NotServed(lookup, ProviderNotConfigured())
    return Missed(lookup)


def submit(
    request: Request, directives: CacheDirectives, missed: Missed, services: ApiServices, request_id: str
) -> Hit | Accepted | NotServed:
    """Join the job in flight for the same key, or commit a new job and publish it.

    `request_id` goes with a new job, for the log.

    A job that ends between our lookup and our insert has left its answer in the cache: once the insert has made us
    the only one, we look again before we commit.
    """
    for _ in range(MAX_RACES):
        try:
            acceptance = _accept(request, directives, services, request_id)
        except (DatabaseUnavailable, QueueFull) as err:
            return NotServed(missed.lookup, err)
        if acceptance is not None:
            return Accepted(acceptance.job, acceptance.joined, missed.lookup)
        found = recall(request, directives, services, request_id)
        if not isinstance(found, Missed):
            return found
        missed = found
    return NotServed(missed.lookup, Unavailable("Jobs for this request end faster than it can join them. Try again."))


def _from_memory(
    request: Request, directives: CacheDirectives, lookup: Lookup | None, services: ApiServices, request_id: str
) -> Hit | None:
    if lookup is not None and lookup.answer is not None:
        return Hit(lookup.answer, lookup)
    stale = use_stale(request, lookup, services)
    if stale is None:
        return None
    if stale.refreshes:
        _refresh(request, directives, services, request_id)
    return Hit(stale.answer, stale.lookup)


def look_up(request: Request, directives: CacheDirectives, services: ApiServices) -> Lookup | None:
    """Ask the tiers, unless the request forbids it."""
    if not directives.reads:
        return None
    address = Address(request.client.namespace, request.task_type, request.key)
    by_fallback = request.fallback_model is not None
    return services.cache.lookup(address, directives.max_age, by_fallback=by_fallback)


def _accept(request: Request, directives: CacheDirectives, services: ApiServices, request_id: str) -> Acceptance | None:
    acceptance = services.jobs.accept(
        request,
        sharable=not directives.no_store,
        refresh=directives.bypasses,
        still_wanted=lambda: not _is_known(request, directives, services),
        request_id=request_id,
    )
    if acceptance is not None and not acceptance.joined:
        _publish(acceptance.job, services)
    return acceptance


def _refresh(request: Request, directives: CacheDirectives, services: ApiServices, request_id: str) -> None:
    """Let a job get a new answer, or leave it to the one that does so already, or to later where the queue is full."""
    if directives.only_if_cached or not request.serving.configured:
        return
    try:
        _accept(request, directives, services, request_id)
    except DatabaseUnavailable:
        logger.warning("Stale answer not refreshed: PostgreSQL is away")
    except QueueFull:
        logger.debug("Stale answer not refreshed: the queue is full")


def _is_known(request: Request, directives: CacheDirectives, services: ApiServices) -> bool:
    lookup = look_up(request, directives, services)
    return lookup is not None and lookup.answer is not None


def _publish(job: Job, services: ApiServices) -> None:
    """Send the job to its queue; if the broker is away maintenance does it later, for the row is safe already."""
    if services.queue.publish(job.id, job.queue):
        return
    try:
        services.jobs.publish_soon(job.id)
    except DatabaseUnavailable:
        # It was committed a moment ago, so it is accepted; maintenance finds it a little later.
        logger.warning("Job not marked for publishing", extra={"job_id": str(job.id)})


@dataclass(frozen=True, slots=True)
class Stale:
    """An old answer that will do. `refreshes`: a job should get a new one."""

    answer: Answer
    lookup: Lookup
    refreshes: bool


def use_stale(request: Request, lookup: Lookup | None, services: ApiServices) -> Stale | None:
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
    state = services.gate.state(request.serving.provider, request.model)
    if state is BreakerState.CLOSED:
        return None
    return Stale(found.answer, found, refreshes=state is BreakerState.DUE)
