"""The dialect of `/v1/responses`: OpenAI's Responses API, whose answers are made of chat completions.

https://platform.openai.com/docs/api-reference/responses
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from api.dialects.base import Dialect
from api.dialects.completions import CompletionDialect
from api.dialects.streamed_completions import UNBUFFERED, claims_over
from api.http.documents import RenderedAnswer, saved_document
from api.http.errors import ModelNotFound
from api.http.explained import EXPLAIN_RESPONSE, why
from api.http.intake import media_type_of
from api.http.json_body import parse_json
from api.http.listening import EVENTS, Listens, Told
from api.http.patience import Patience
from api.http.reply import JSON, NO_HEADERS, Reply, json_bytes, json_reply
from api.request_log.records import Saved
from api.responses.documents import Made, made_before, made_by, made_not_yet, response_document
from api.responses.events import BEFORE_ALL, events_of
from api.responses.live_events import LiveEvents
from api.responses.record import ResponseRecord, response_name
from api.responses.store import ResponseStore
from api.responses.wanted import WantedResponse, conversation_of, read_wanted
from shared.cache.lookup import Lookup
from shared.domain.answer import Answer
from shared.domain.inputs import WrongValue
from shared.domain.named_models import NamedModels
from shared.domain.request import Client, Request
from shared.errors import AskOnceError, FieldError, InvalidRequest, MediaTypeNotSupported
from shared.jobs.job import Job, JobStatus, ShownJob
from shared.times import new_id

UNKNOWN = UUID(int=0)
_NO_TIER = b"null}}"


class ResponseEndpoint:
    """What all calls of the endpoint have in common. See `Endpoint`. Safe to use from several threads."""

    def __init__(
        self,
        models: NamedModels,
        limit_names: Mapping[str, str],
        store: ResponseStore,
        completions: CompletionDialect,
        max_chars: int,
    ) -> None:
        """`limit_names`: what each provider calls the most tokens of an answer.

        `completions`: the dialect for what responses have in common with chat completions. `max_chars`: the setting
        MAX_INPUT_CHARS.
        """
        self.models = models
        self.limit_names = limit_names
        self.store = store
        self.completions = completions
        self.max_chars = max_chars
        self.max_body_bytes = completions.max_body_bytes
        self.task_type = completions.task_type

    def refused(self, error: AskOnceError, headers: Mapping[str, str] = NO_HEADERS) -> Reply:
        """Return the error in OpenAI's shape."""
        return self.completions.refused(error, {**why(error, EXPLAIN_RESPONSE), **headers})


class ResponseCall:
    """The dialect of one call, because its request is part of its answer. See `Dialect`.

    To be used by one thread at a time. `read` and `keep` use PostgreSQL, and raise DatabaseUnavailable.
    """

    def __init__(self, endpoint: ResponseEndpoint) -> None:
        self._endpoint = endpoint
        self._record: ResponseRecord | None = None
        self._streams = False
        self.media_type = JSON
        self.max_body_bytes = endpoint.max_body_bytes
        self.task_type = endpoint.task_type

    def delivering(self, request: Request) -> Dialect:
        """Return this dialect."""
        del request
        return self

    def read(self, content_type: str, body: bytes, client: Client) -> Request:
        """Return the request; raise a RequestError, ModelNotFound, NotFound and PreviousResponseNotFound among them."""
        if media_type_of(content_type) != JSON:
            raise MediaTypeNotSupported
        document = parse_json(body)
        if not isinstance(document, dict):
            raise InvalidRequest([FieldError("", "must be an object")])
        try:
            return self._request(read_wanted(document), client)
        except WrongValue as err:
            raise InvalidRequest([FieldError(err.pointer, err.detail)]) from err

    def render(self, answer: Answer, saved: Saved) -> RenderedAnswer:
        """Return the response of a hit, without its tier."""
        hit = {"saved": saved_document(saved), "tier": None}
        whole = json_bytes(self._document(answer.job_id, made_before(answer), hit))
        return RenderedAnswer(whole.removesuffix(_NO_TIER), b"}}")

    def hit(self, found: RenderedAnswer, lookup: Lookup, key: str) -> bytes:
        """Return the response of a hit, or its events."""
        del key
        whole = b'%b"%b"%b' % (found.before, lookup.visits[-1].tier.encode(), found.after)
        return events_of(json.loads(whole)) if self._streams else whole

    def hit_headers(self, job_id: str) -> Mapping[str, str]:
        """Return the header that names the job, and those of a stream."""
        named = self._endpoint.completions.hit_headers(job_id)
        return {**named, **UNBUFFERED} if self._streams else named

    def keep(self, job_id: UUID, tier: str | None = None, saved: Saved | None = None) -> None:
        """Store the response, if its client wants that."""
        hit = None if saved is None else {"saved": saved_document(saved), "tier": tier}
        record = replace(self._asked, job_id=job_id, hit=hit)
        if record.stored:
            self._endpoint.store.add(record)

    def patience(self, prefer: str | None, job: Job) -> Patience:
        """Return none for a response that is made in the background, for all others that of a chat completion.

        A client that wants the events waits for them.
        """
        if self._asked.background and not self._streams:
            return Patience(None)
        return self._endpoint.completions.patience(prefer, job)

    def job(self, job: ShownJob, prefer: str | None, headers: Mapping[str, str]) -> Reply:
        """Return the response. If its client waits, and there is no answer, return what a chat completion would."""
        is_complete = job.status is JobStatus.COMPLETED and job.result is not None
        if is_complete or (self._asked.background and not self._streams):
            document = self._document(job.id, made_by(job), None)
            headers = {**headers, **self.hit_headers(str(job.id))}
            if self._streams:
                return Reply(200, events_of(document), EVENTS, headers)
            return json_reply(document, headers=headers)
        return self._endpoint.completions.job(job, prefer, headers)

    def listens(self, job: Job, headers: Mapping[str, str], told: Told) -> Listens | None:
        """Return how the events begin; None for a client that gets the response as a whole."""
        if not self._streams:
            return None
        if self._asked.background:
            # It goes on without its client.
            told = Told(told.ended, lambda: None)
        return listens_to(replace(self._asked, job_id=job.id), job, {**headers, **self.hit_headers(str(job.id))}, told)

    def refused(self, error: AskOnceError, headers: Mapping[str, str] = NO_HEADERS) -> Reply:
        """Return the error in OpenAI's shape."""
        return self._endpoint.refused(error, headers)

    def _request(self, wanted: WantedResponse, client: Client) -> Request:
        endpoint = self._endpoint
        offer = endpoint.models.find(wanted.model)
        if offer is None:
            raise ModelNotFound(wanted.model, endpoint.models.offers)
        wanted = replace(wanted, items=endpoint.store.resolved(wanted.items, client.tenant))
        earlier = None
        if wanted.previous is not None:
            earlier = endpoint.store.conversation(wanted.previous, client.tenant, self.max_body_bytes)
        limit_name = endpoint.limit_names[offer.serving(offer.model).vendor]
        items = [] if earlier is None else earlier.items
        conversation = conversation_of(wanted, items, limit_name, endpoint.max_chars)
        self._streams = wanted.streams
        self.media_type = EVENTS if wanted.streams else JSON
        self._record = ResponseRecord(
            id=new_id(),
            tenant=client.tenant,
            job_id=UNKNOWN,
            previous_id=None if earlier is None else earlier.id,
            background=wanted.background,
            model=wanted.model,
            items=wanted.items,
            parameters=wanted.parameters.shown,
            stored=wanted.stored,
        )
        return Request(client, offer, offer.model, {}, conversation, offer.fallback_routes)

    @property
    def _asked(self) -> ResponseRecord:
        if self._record is None:
            message = "A call is read before it is answered."
            raise RuntimeError(message)
        return self._record

    def _document(self, job_id: UUID, made: Made, hit: Mapping[str, Any] | None) -> dict[str, Any]:
        return response_document(replace(self._asked, job_id=job_id, hit=hit), made)


def listens_to(
    record: ResponseRecord, job: Job, headers: Mapping[str, str], told: Told, after: int = BEFORE_ALL
) -> Listens:
    """Return how a client hears a response while its job runs. `after`: the number of the last event that it has."""
    voice = LiveEvents(response_document(record, made_not_yet(job.model)), record.id, after)
    known_as, beyond = response_name(record.id), claims_over(job)
    return Listens(known_as, counts_tokens=False, headers=headers, beyond=beyond, told=told, voice=voice)
