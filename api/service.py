"""USE CASE 1: serve a request from a tier, or make a job that will end, whatever crashes.

`recall` comes first and does not use the database; what it can't answer goes on to `submit`.
"""

import logging
from dataclasses import dataclass
from uuid import UUID

from api.bootstrap import ApiServices
from api.http.directives import CacheDirectives
from api.jobs.store import Acceptance
from api.jobs.viewer import Viewer
from api.limits.errors import LimitReached
from api.tracing import CallIds
from shared.cache.entry import Wanted
from shared.cache.lookup import Address, Lookup
from shared.cache.steps import Note
from shared.domain.answer import Answer
from shared.domain.request import Request
from shared.errors import (
    DatabaseUnavailable,
    InvalidRequest,
    JobAlreadyEnded,
    NotCached,
    NotFound,
    ProviderNotConfigured,
    QueueFull,
    Unavailable,
)
from shared.jobs.job import Job, ShownJob
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
    """This job will find the answer. `lookup` is None when the request forbade the cache."""

    job: Job
    joined: bool
    lookup: Lookup | None


@dataclass(frozen=True, slots=True)
class NotServed:
    """No tier had the answer and no job could be made: the request or a limit forbade it, or something is down."""

    lookup: Lookup | None
    error: NotCached | Unavailable | LimitReached


@dataclass(frozen=True, slots=True)
class Missed:
    """No tier has the answer, and a job may be made. `lookup` is None when the request forbade the cache."""

    lookup: Lookup | None


def recall(
    request: Request, directives: CacheDirectives, services: ApiServices, ids: CallIds
) -> Hit | NotServed | Missed:
    """Return an answer from memory, or `Missed` when a job is needed.

    Uses only the tiers, unless a stale answer needs a job that refreshes it. `ids`: of the call, for such a job.
    """
    lookup = look_up(request, directives, services, ids.note)
    hit = _from_memory(request, directives, lookup, services, ids)
    return hit if hit is not None else after_no_hit(request, directives, lookup)


def after_no_hit(request: Request, directives: CacheDirectives, lookup: Lookup | None) -> NotServed | Missed:
    """Return whether a job may be made for a request that no tier has an answer for."""
    if directives.only_if_cached:
        return NotServed(lookup, NotCached())
    if not request.serving.configured:
        return NotServed(lookup, ProviderNotConfigured())
    return Missed(lookup)


def submit(
    request: Request, directives: CacheDirectives, missed: Missed, services: ApiServices, ids: CallIds
) -> Hit | Accepted | NotServed:
    """Join the job in flight for the same key, or commit a new job and publish it.

    `ids`: of the call, for a new job.

    A job that is down here is committed, and then published: if the broker is down, by maintenance.
    A job that ended between lookup and insert has left its answer in the cache. So after the insert, which excludes
    other jobs, the cache is asked again before the commit.
    """
    for _ in range(MAX_RACES):
        try:
            acceptance = _accept(request, directives, services, ids)
        except (DatabaseUnavailable, QueueFull, LimitReached) as err:
            return NotServed(missed.lookup, err)
        if acceptance is not None:
            return Accepted(acceptance.job, acceptance.joined, missed.lookup)
        found = recall(request, directives, services, ids)
        if not isinstance(found, Missed):
            return found
        missed = found
    return NotServed(missed.lookup, Unavailable("Jobs for this request end faster than it can join them. Try again."))


def outcome_of(directives: CacheDirectives, *, joined: bool) -> str:
    """Return the outcome of a call that has a job."""
    if joined:
        return "joined"
    return "bypass" if directives.bypasses else "miss"


def cancel(job_id: UUID, viewer: Viewer | None, services: ApiServices) -> ShownJob:
    """Cancel a job as far as it is somebody's, or as a whole (None), and return it as they see it; raise as the store.

    Those who wait for it, and workers, are told.
    """
    cancelled = services.jobs.cancel(job_id, viewer)
    services.notifier.job_ended(job_id)
    if cancelled.ended is not None:
        services.metrics.jobs_cancelled.add()
        if cancelled.ended.claims:
            # Flower knows this job from workers; the worker that gets this message reports the cancellation.
            services.queue.publish(cancelled.ended.id, cancelled.ended.queue)
    return cancelled.seen


def abandon(job_id: UUID, services: ApiServices) -> None:
    """Cancel a job that one call less wants, if it was the last one and abandoned jobs are cancelled."""
    if services.interest is None or not services.interest.drop(job_id):
        return
    try:
        cancel(job_id, None, services)
    except (JobAlreadyEnded, NotFound):
        return
    except DatabaseUnavailable:
        logger.warning("Abandoned job not cancelled: PostgreSQL is away", extra={"job_id": str(job_id)})


def _from_memory(
    request: Request, directives: CacheDirectives, lookup: Lookup | None, services: ApiServices, ids: CallIds
) -> Hit | None:
    if lookup is not None and lookup.answer is not None:
        return Hit(lookup.answer, lookup)
    stale = use_stale(request, lookup, services)
    if stale is None:
        return None
    if stale.refreshes:
        _refresh(request, directives, services, ids)
    return Hit(stale.answer, stale.lookup)


def look_up(
    request: Request, directives: CacheDirectives, services: ApiServices, note: Note | None = None
) -> Lookup | None:
    """Ask the tiers, unless the request forbids it."""
    if not directives.reads:
        return None
    return services.cache.lookup(address_of(request), wanted_by(request, directives), note)


def address_of(request: Request) -> Address:
    """Return where the tiers keep the answer to a request."""
    return Address(request.client.namespace, request.task_type, request.key)


def wanted_by(request: Request, directives: CacheDirectives) -> Wanted:
    """Return which stored answers a request accepts."""
    return Wanted(directives.max_age, request.fallbacks)


def _accept(request: Request, directives: CacheDirectives, services: ApiServices, ids: CallIds) -> Acceptance | None:
    return services.jobs.accept(
        request,
        sharable=not directives.no_store,
        refresh=directives.bypasses,
        still_wanted=lambda: not _is_known(request, directives, services),
        ids=ids,
    )


def _refresh(request: Request, directives: CacheDirectives, services: ApiServices, ids: CallIds) -> None:
    """Make a job for a new answer; do nothing if one is in flight already, the queue is full, or limits forbid it."""
    if directives.only_if_cached or not request.serving.configured:
        return
    try:
        _accept(request, directives, services, ids)
    except DatabaseUnavailable:
        logger.warning("Stale answer not refreshed: PostgreSQL is away")
    except (QueueFull, LimitReached, InvalidRequest) as err:
        logger.debug("Stale answer not refreshed", extra={"code": err.code})


def _is_known(request: Request, directives: CacheDirectives, services: ApiServices) -> bool:
    lookup = look_up(request, directives, services)
    return lookup is not None and lookup.answer is not None


@dataclass(frozen=True, slots=True)
class Stale:
    """An old answer that may be served. `refreshes`: a job should get a new one."""

    answer: Answer
    lookup: Lookup
    refreshes: bool


def use_stale(request: Request, lookup: Lookup | None, services: ApiServices) -> Stale | None:
    """Return the stale answer that a lookup found, if it may be served now, else None.

    That is the case within STALE_WHILE_REVALIDATE_SECONDS, and within STALE_IF_ERROR_SECONDS while the provider's
    breaker is open. When a call is due that finds out whether the provider is back, the job for it is made here.
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
