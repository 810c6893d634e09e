"""USE CASE 3: serve vectors from the tiers, and make or join one job for those that no tier has."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from api.bootstrap import ApiServices
from api.dialects.completion_documents import JOB_HEADER
from api.dialects.embedding_documents import embeddings_body, head_of, ours_of
from api.dialects.embeddings import EmbeddingEndpoint
from api.dialects.wanted_embeddings import Wanted
from api.embeddings.lookup import Found, look_up, vector_of
from api.embeddings.waiting import Waiting
from api.http.cache_status import cache_status
from api.http.directives import CacheDirectives, cache_directives
from api.http.patience import patience_to_the_end
from api.http.reply import Reply
from api.idempotent import serve_once
from api.jobs.idempotency import check_idempotency_key
from api.jobs.viewer import viewer_of
from api.limits.errors import LimitReached
from api.predict import PredictCall, not_served, recorded, recording_failure, refusal
from api.prefer_wait import Continuation, Held, Outcome, hold
from api.recording import Asked, CallProgress
from api.request_log.records import Saved
from api.service import MAX_RACES, Accepted, NotServed, outcome_of
from shared.cache.lookup import Lookup
from shared.errors import AskOnceError, DatabaseUnavailable, NotCached, ProviderNotConfigured, QueueFull, Unavailable
from shared.jobs.job import ShownJob


def embed(call: PredictCall[EmbeddingEndpoint], services: ApiServices) -> Outcome:
    """Return a reply from the tiers, or the continuation that makes or joins a job.

    An AskOnceError becomes a reply. Any other error is recorded and raised again.
    """
    progress = CallProgress(call.request_id, call.client, call.dialect, call.prefer, trace=call.trace)
    directives = cache_directives(call.cache_control)
    with recording_failure(progress, services):
        try:
            progress.body = call.read_body(call.dialect.max_body_bytes)
            progress.rates = services.rates.take(call.client)
            wanted = call.dialect.read(call.content_type, progress.body, call.client)
            progress.asked = _asked(wanted, hits=0)
            asking = Asking(wanted, directives, progress, services)
            if call.idempotency_key is not None:
                check_idempotency_key(call.idempotency_key)
                return Continuation(partial(asking.serve_once, call.idempotency_key))
            found = look_up(wanted, directives, services)
        except AskOnceError as err:
            return refusal(err, progress, services)
        ended = asking.without_job(found)
    return Continuation(partial(asking.ask_for_job, found)) if ended is None else ended


@dataclass(frozen=True, slots=True)
class _Submitted:
    """A job for what is missing. `found`: what the tiers had beside it. `keys`: of the job's items, in their order."""

    accepted: Accepted
    found: Found
    keys: Sequence[str]


@dataclass(frozen=True, slots=True)
class Asking:
    """A valid call."""

    wanted: Wanted
    directives: CacheDirectives
    progress: CallProgress[EmbeddingEndpoint]
    services: ApiServices

    def serve_once(self, key: str) -> Reply | Held:
        """Serve the first call with an idempotency key, or a repetition: see `api/idempotent.py`."""
        with recording_failure(self.progress, self.services):
            try:
                return serve_once(key, self.wanted.whole(), self.services, self._first, self._again)
            except AskOnceError as err:
                return refusal(err, self.progress, self.services)

    def without_job(self, found: Found) -> Reply | None:
        """Return the reply to a call that needs no job, or for which none may be made; else None."""
        if not found.missing:
            return self._hit(found)
        if self.directives.only_if_cached:
            return self._not_served(found, NotCached())
        offer = self.wanted.offer
        return None if offer.serving(offer.model).configured else self._not_served(found, ProviderNotConfigured())

    def ask_for_job(self, found: Found) -> Reply | Held:
        """Return a reply, or a held answer that waits for the job."""
        progress = self.progress
        with recording_failure(progress, self.services):
            try:
                served = self._submit(found)
            except AskOnceError as err:
                return refusal(err, progress, self.services)
            if isinstance(served, Reply):
                return served
            accepted = served.accepted
            progress.accepted(accepted.job.id, outcome_of(self.directives, joined=accepted.joined))
            progress.joined(accepted.job)
        status = cache_status(accepted.lookup, collapsed=accepted.joined)
        waiting = self._waiting(served.keys, served.found.saved(self.services), status)
        patience = patience_to_the_end(progress.prefer, accepted.job)
        return hold(accepted.job, patience, self.services, waiting.reply, viewer_of(progress.client))

    def _first(self) -> tuple[Reply | Held, UUID | None]:
        found = look_up(self.wanted, self.directives, self.services)
        outcome = self.without_job(found) or self.ask_for_job(found)
        return outcome, None if self.progress.job_id is None else UUID(self.progress.job_id)

    def _again(self, job: ShownJob) -> Reply | Held:
        progress, services = self.progress, self.services
        progress.accepted(job.id, "joined")
        row, headers = services.jobs.get(job.id), {"Idempotent-Replayed": "true"}
        waiting = self._waiting(self.wanted.keys_of(row.request), None, cache_status(None, collapsed=True))
        if job.status.ended:
            return waiting.reply(job, headers)
        patience = patience_to_the_end(progress.prefer, row).also(headers)
        return hold(job, patience, services, waiting.reply, viewer_of(progress.client))

    def _waiting(self, asked_for: Sequence[str], saved: Saved | None, status: str) -> Waiting:
        return Waiting(
            keys=self.wanted.keys,
            addresses=self.wanted.addresses(),
            asked_for=asked_for,
            in_base64=self.wanted.in_base64,
            saved=saved,
            status=status,
            progress=self.progress,
            services=self.services,
        )

    def _hit(self, found: Found) -> Reply:
        """Return the reply with vectors of the tiers alone, and record the call as a hit of the one asked last."""
        wanted, count = self.wanted, len(self.wanted.keys)
        lookup, saved, job_id = found.lookup or Lookup(()), found.saved(self.services), found.only_job()
        self.progress.hit(lookup.visits[-1].tier, job_id, saved)
        self.progress.asked = _asked(wanted, hits=count)
        vectors = {key: vector_of(answer) for key, answer in found.answers.items()}
        head = head_of(wanted.offer.model, None, ours_of(saved, job_id, count, 0))
        body = embeddings_body(wanted.keys, vectors, head, in_base64=wanted.in_base64)
        named = {} if job_id is None else {JOB_HEADER: job_id}
        headers = {"Cache-Status": cache_status(lookup), "Age": str(int(lookup.age)), **named}
        return recorded(Reply(200, body, headers=headers), self.progress, self.services)

    def _submit(self, found: Found) -> Reply | _Submitted:
        """Join the job in flight for the same missing items, or commit a new job for them and publish it.

        A job that has ended between lookup and insert has left its vectors in the cache: the worker looks there before
        it asks.
        """
        for _ in range(MAX_RACES):
            # In an order of their own: calls for the same items share a job, in whichever order they name them.
            keys = list(found.missing) if self.directives.no_store else sorted(found.missing)
            self.progress.asked = _asked(self.wanted, hits=sum(key in found.answers for key in self.wanted.keys))
            try:
                accepted = self._accept(keys, found)
            except (DatabaseUnavailable, QueueFull, LimitReached) as err:
                return self._not_served(found, err)
            if accepted is not None:
                return _Submitted(accepted, found, keys)
            found = look_up(self.wanted, self.directives, self.services)
            ended = self.without_job(found)
            if ended is not None:
                return ended
        return self._not_served(
            found, Unavailable("Jobs for this request end faster than it can join them. Try again.")
        )

    def _accept(self, keys: Sequence[str], found: Found) -> Accepted | None:
        acceptance = self.services.jobs.accept(
            self.wanted.request_for(keys),
            sharable=not self.directives.no_store,
            refresh=self.directives.bypasses,
            still_wanted=lambda: True,
            ids=self.progress.ids,
        )
        return None if acceptance is None else Accepted(acceptance.job, acceptance.joined, found.lookup)

    def _not_served(self, found: Found, error: NotCached | Unavailable | LimitReached) -> Reply:
        return not_served(NotServed(found.lookup, error), self.progress, self.services)


def _asked(wanted: Wanted, hits: int) -> Asked:
    """Return what the record of a call holds. Its items are in the job's row only if the job is for all of them."""
    return Asked(wanted.offer.task_type.name, wanted.whole().key, wanted.summary(hits) if hits else None)
