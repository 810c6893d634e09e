"""One call of an endpoint that asks: from the bytes of the request to the reply, recorded with exactly one outcome."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import Generic, NamedTuple
from uuid import UUID

from api.bootstrap import ApiServices
from api.dialects.base import Dialect, Endpoint
from api.hit import PreparedAnswer, hit_reply, prepare
from api.http.cache_status import cache_status
from api.http.directives import CacheDirectives, cache_directives
from api.http.listening import Told
from api.http.outages import while_asking
from api.http.patience import Patience
from api.http.reply import Reply
from api.idempotent import serve_once
from api.jobs.idempotency import check_idempotency_key
from api.jobs.viewer import viewer_of
from api.limits.errors import BudgetExhausted, LimitReached
from api.limits.headers import limit_headers
from api.prefer_wait import Continuation, Held, Outcome, hold
from api.recording import Asked, CallProgress, E_co, asked_of, keep_hit, keep_record
from api.service import Accepted, Hit, Missed, NotServed, abandon, outcome_of, recall, submit
from api.tracing import CallTrace
from shared.cache.lookup import Lookup
from shared.domain.request import Client, Request
from shared.errors import AskOnceError, DatabaseUnavailable, NotCached, RequestNotRecorded
from shared.jobs.job import Job, ShownJob
from shared.logs.context import log_fields

Progress = CallProgress[Dialect]
Tell = Callable[[Accepted | NotServed], None]
"""Told what came of a call, from the thread that serves it."""


@dataclass(frozen=True, slots=True)
class PredictCall(Generic[E_co]):
    """A client's request. `read_body` takes a limit in bytes and raises RequestTooLarge beyond it."""

    request_id: str
    client: Client
    dialect: E_co
    content_type: str
    cache_control: str | None
    prefer: str | None
    idempotency_key: str | None
    read_body: Callable[[int], bytes]
    trace: CallTrace | None = None


def predict(call: PredictCall[Dialect], services: ApiServices) -> Outcome:
    """Return a reply from memory, or the continuation that makes or joins a job.

    An AskOnceError becomes a reply. Any other error is recorded and raised again.
    """
    progress = CallProgress(call.request_id, call.client, call.dialect, call.prefer, trace=call.trace)
    directives = cache_directives(call.cache_control)
    with recording_failure(progress, services):
        try:
            progress.body = call.read_body(call.dialect.max_body_bytes)
            progress.rates = services.rates.take(call.client)
            request = call.dialect.read(call.content_type, progress.body, call.client)
            asked = asked_of(request, redact=services.settings.log_payloads == "digest")
            progress.asked, progress.dialect = asked, call.dialect.delivering(request)
            asking = Asking(request, asked, directives, progress, services)
            if call.idempotency_key is not None:
                check_idempotency_key(call.idempotency_key)
                return Continuation(partial(asking.serve_once, call.idempotency_key))
            found = recall(request, directives, services, progress.ids)
        except AskOnceError as err:
            return refusal(err, progress, services)
        return asking.outcome(found)


class Asking(NamedTuple):
    """A valid call."""

    request: Request
    asked: Asked
    directives: CacheDirectives
    progress: Progress
    services: ApiServices

    def serve_once(self, key: str) -> Reply | Held:
        """Serve the first call with an idempotency key, or a repetition: see `api/idempotent.py`."""
        with recording_failure(self.progress, self.services):
            try:
                return serve_once(key, self.request, self.services, self._first, self._again)
            except AskOnceError as err:
                return refusal(err, self.progress, self.services)

    def outcome(self, found: Hit | NotServed | Missed) -> Reply | Continuation:
        """Return a reply with what was found, or the continuation that makes or joins a job."""
        if isinstance(found, Hit):
            return self.hit(prepare(found.answer, self.services.prices, self.progress.dialect), found.lookup)
        if isinstance(found, NotServed):
            return not_served(found, self.progress, self.services)
        return Continuation(partial(self.ask_for_job, found))

    def hit(self, found: PreparedAnswer, lookup: Lookup) -> Reply:
        """Return the reply with an answer that a tier had, and record the call. Some hits are chosen to be audited."""
        progress, services = self.progress, self.services
        tier = lookup.visits[-1].tier
        try:
            progress.dialect.keep(found.answer.job_id, tier, found.saved)
        except DatabaseUnavailable as err:
            return refusal(err, progress, services)
        progress.job_id = found.job_id
        if not keep_hit(progress, self.asked, tier, found, services):
            return progress.dialect.refused(RequestNotRecorded())
        if services.hit_audits is not None:
            services.hit_audits.offer(self.request, found.answer, progress.client)
        return hit_reply(found, lookup, self.asked.cache_key, progress.dialect, limit_headers(progress.rates, None))

    def ask_for_job(self, missed: Missed, tell: Tell = lambda _: None) -> Reply | Held:
        """Return a reply with a job; if the client prefers to wait, a held answer instead.

        `tell`: called with the job, or why there is none, which holds for calls of the same client for the same too.
        """
        progress, services = self.progress, self.services
        with recording_failure(progress, services):
            try:
                served = submit(self.request, self.directives, missed, services, progress.ids)
            except AskOnceError as err:
                return refusal(err, progress, services)
            if not isinstance(served, Hit):
                tell(served)
            if not isinstance(served, Accepted):
                return _at_once(self.outcome(served))
        return self.answer_with(served)

    def answer_with(self, accepted: Accepted) -> Reply | Held:
        """Return a reply with the job of this call; if the client prefers to wait, a held answer instead."""
        progress, services = self.progress, self.services
        job, joined = accepted.job, accepted.joined
        with recording_failure(progress, services):
            try:
                progress.dialect.keep(job.id)
            except AskOnceError as err:
                return refusal(err, progress, services)
            progress.accepted(job.id, outcome_of(self.directives, joined=joined))
            progress.joined(job)
        patience = progress.dialect.patience(progress.prefer, job)
        return _wait(job, patience, cache_status(accepted.lookup, collapsed=joined), progress, services)

    def _first(self) -> tuple[Reply | Held, UUID | None]:
        progress = self.progress
        reply = _at_once(self.outcome(recall(self.request, self.directives, self.services, progress.ids)))
        return reply, None if progress.job_id is None else UUID(progress.job_id)

    def _again(self, job: ShownJob) -> Reply | Held:
        progress, services = self.progress, self.services
        progress.dialect.keep(job.id)
        progress.accepted(job.id, "joined")
        cache, headers = cache_status(None, collapsed=True), {"Idempotent-Replayed": "true"}
        if job.status.ended:
            return _job_reply(cache, progress, services, job, headers)
        joined = replace(services.jobs.get(job.id), trace=job.trace)
        patience = progress.dialect.patience(progress.prefer, joined).also(headers)
        return _wait(joined, patience, cache, progress, services)


def _at_once(outcome: Reply | Continuation) -> Reply | Held:
    return outcome.run() if isinstance(outcome, Continuation) else outcome


def not_served(found: NotServed, progress: CallProgress[Endpoint], services: ApiServices) -> Reply:
    """Return the reply that says why there is neither an answer nor a job, and record the call."""
    progress.outcome = "miss" if isinstance(found.error, NotCached) else "error"
    progress.error_code = found.error.code
    services.metrics.limit_refusals.note(found.error)
    reply = progress.dialect.refused(while_asking(found.error), {"Cache-Status": cache_status(found.lookup)})
    return recorded(reply, progress, services)


def _wait(job: Job, patience: Patience, cache: str, progress: Progress, services: ApiServices) -> Reply | Held:
    """Return a reply with the job of a call, or a held answer if the client waits. `cache`: its Cache-Status."""
    if services.interest is not None:
        services.interest.add(job.id)
    said = {"Cache-Status": cache, **patience.waited, **limit_headers(progress.rates, None)}
    told = Told(partial(_record_stream, progress, services), partial(abandon, job.id, services))
    listens = progress.dialect.listens(job, said, told)
    render = partial(_job_reply, cache, progress, services)
    return hold(job, patience, services, render, viewer_of(progress.client), listens=listens)


def refusal(error: AskOnceError, progress: CallProgress[Endpoint], services: ApiServices) -> Reply:
    """Return the reply that says why a call is refused, and record the call."""
    progress.refused(error)
    services.metrics.limit_refusals.note(error)
    if isinstance(error, LimitReached) and error.rates:
        progress.rates = error.rates
    return recorded(progress.dialect.refused(error), progress, services)


@contextmanager
def recording_failure(progress: CallProgress[Endpoint], services: ApiServices) -> Iterator[None]:
    """Record a call that ends with an unexpected error. Log lines within carry the ids of the request and its trace."""
    try:
        with log_fields(request_id=progress.request_id, trace_id=progress.trace_id):
            yield
    except Exception:
        progress.mark_internal_error()
        keep_record(progress, services)
        raise


def recorded(reply: Reply, progress: CallProgress[Endpoint], services: ApiServices) -> Reply:
    """Record the call and return its reply; an error instead if the record must be kept and can't be."""
    progress.status = reply.status
    if not keep_record(progress, services):
        return progress.dialect.refused(RequestNotRecorded())
    said = _limit_headers(progress, services)
    return reply._replace(headers={**reply.headers, **said}) if said else reply


def _limit_headers(progress: CallProgress[Endpoint], services: ApiServices) -> Mapping[str, str]:
    """Return what is said of limits; of tokens only where something was reserved just now, since others do so too."""
    reserved = progress.status == HTTPStatus.ACCEPTED and progress.outcome in {"miss", "bypass"}
    known = reserved or progress.error_code == BudgetExhausted.code
    return limit_headers(progress.rates, services.balances.of(progress.client) if known else None)


def _record_stream(progress: Progress, services: ApiServices, error: AskOnceError | None) -> None:
    """Record a call whose answer was sent in pieces; `error`: why not to its end."""
    with recording_failure(progress, services):
        progress.status = HTTPStatus.OK
        if error is not None:
            progress.error_code = error.code
        keep_record(progress, services)


def _job_reply(
    cache: str, progress: Progress, services: ApiServices, job: ShownJob, headers: Mapping[str, str]
) -> Reply:
    """Return the reply with the job, possibly long after the call began. `cache`: the call's Cache-Status."""
    with recording_failure(progress, services):
        reply = progress.dialect.job(job, progress.prefer, {**headers, "Cache-Status": cache})
        return recorded(reply, progress, services)
