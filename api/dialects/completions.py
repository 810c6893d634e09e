"""The dialect of `/v1/chat/completions`: OpenAI's chat completions.

https://platform.openai.com/docs/api-reference/chat
"""

from collections.abc import Mapping
from uuid import UUID

from api.dialects.base import Dialect
from api.dialects.completion_documents import (
    JOB_HEADER,
    NO_USAGE,
    answered_document,
    completion_document,
    new_completion_id,
)
from api.dialects.streamed_completions import StreamedCompletionDialect
from api.http.directives import prefers_async
from api.http.documents import RenderedAnswer, saved_document
from api.http.errors import JobNotEnded, ModelNotFound
from api.http.explained import EXPLAIN_COMPLETION, why
from api.http.intake import media_type_of
from api.http.job_replies import asked_job_reply
from api.http.json_body import parse_json
from api.http.listening import Told
from api.http.openai_errors import in_openai_shape
from api.http.patience import Patience, patience_to_the_end
from api.http.problems import error_reply
from api.http.reply import JSON, NO_HEADERS, Reply, json_bytes, json_reply
from api.request_log.records import Saved
from shared.cache.lookup import Lookup
from shared.domain.answer import Answer
from shared.domain.completions import CHAT_COMPLETION
from shared.domain.conversation import Conversation, read_conversation
from shared.domain.inputs import WrongValue
from shared.domain.named_models import NamedModels
from shared.domain.request import Client, Request
from shared.errors import AskOnceError, FieldError, InvalidRequest, MediaTypeNotSupported
from shared.jobs.job import Job, JobStatus, ShownJob


class CompletionDialect:
    """See `Dialect`."""

    media_type = JSON
    task_type: str | None = CHAT_COMPLETION.name

    def __init__(self, models: NamedModels, max_chars: int, max_body_bytes: int) -> None:
        """`max_chars`: the setting MAX_INPUT_CHARS."""
        self._models = models
        self._max_chars = max_chars
        self.max_body_bytes = max_body_bytes
        self._in_pieces = {counts: StreamedCompletionDialect(self, counts_tokens=counts) for counts in (False, True)}

    def delivering(self, request: Request) -> Dialect:
        """Return this dialect, or the one for clients who want the answer in pieces."""
        given = request.input
        if not isinstance(given, Conversation) or not given.streams:
            return self
        return self._in_pieces[given.counts_tokens]

    def read(self, content_type: str, body: bytes, client: Client) -> Request:
        """Return the request; raise a RequestError, ModelNotFound among them."""
        if media_type_of(content_type) != JSON:
            raise MediaTypeNotSupported
        document = parse_json(body)
        if not isinstance(document, dict):
            raise InvalidRequest([FieldError("", "must be an object")])
        name = document.get("model")
        if not isinstance(name, str):
            raise InvalidRequest([FieldError("/model", "is required" if name is None else "must be a string")])
        try:
            conversation = read_conversation(document, self._max_chars)
        except WrongValue as err:
            raise InvalidRequest([FieldError(err.pointer, err.detail)]) from err
        offer = self._models.find(name)
        if offer is None:
            raise ModelNotFound(name, self._models.offers)
        return Request(client, offer, offer.model, {}, conversation, offer.fallback_routes)

    def render(self, answer: Answer, saved: Saved) -> RenderedAnswer:
        """Return the document of a hit, without its id and tier."""
        document = completion_document(answer.result["completion"], answer.model, int(answer.completed_at.timestamp()))
        ours = {"saved": saved_document(saved), "job_id": str(answer.job_id)}
        whole = json_bytes({**document, "usage": NO_USAGE, "x_askonce": ours})
        # Without the first bracket, and with room for the tier before the last two.
        return RenderedAnswer(b'",' + whole[1:-2] + b',"tier":"', b'"}}')

    def hit(self, found: RenderedAnswer, lookup: Lookup, key: str) -> bytes:
        """Return the document of a hit, with an id of its own."""
        del key
        tier = lookup.visits[-1].tier.encode()
        return b'{"id":"%b%b%b%b' % (new_completion_id().encode(), found.before, tier, found.after)

    def hit_headers(self, job_id: str) -> Mapping[str, str]:
        """Return the header that names the job."""
        return {JOB_HEADER: job_id}

    def keep(self, job_id: UUID, tier: str | None = None, saved: Saved | None = None) -> None:
        """Keep nothing: no later call is about this one."""

    def patience(self, prefer: str | None, job: Job) -> Patience:
        """Return as long as the job may take, unless the client prefers an asynchronous answer (RFC 7240)."""
        return patience_to_the_end(prefer, job)

    def job(self, job: ShownJob, prefer: str | None, headers: Mapping[str, str]) -> Reply:
        """Return the completion, or an error.

        A job that has not ended is 202 for a client that prefers an asynchronous answer. For all others it is 503,
        because an SDK would take a 202 for the answer.
        """
        headers = {**headers, JOB_HEADER: str(job.id)}
        if job.status is JobStatus.COMPLETED and job.result is not None:
            return json_reply(answered_document(job, job.result["completion"]), headers=headers)
        if not job.status.ended and not prefers_async(prefer):
            return self.refused(JobNotEnded(), headers)
        return in_openai_shape(asked_job_reply(job, headers))

    def listens(self, job: Job, headers: Mapping[str, str], told: Told) -> None:
        """Return None: the answer comes as a whole."""
        del job, headers, told

    def refused(self, error: AskOnceError, headers: Mapping[str, str] = NO_HEADERS) -> Reply:
        """Return the error in OpenAI's shape."""
        return in_openai_shape(error_reply(error, {**why(error, EXPLAIN_COMPLETION), **headers}))
