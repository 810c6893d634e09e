"""The dialect of `/v1/chat/completions` with `stream`: the same answers, in pieces.

https://platform.openai.com/docs/api-reference/chat-streaming
"""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from api.dialects.base import Dialect
from api.dialects.completion_documents import (
    JOB_HEADER,
    NO_USAGE,
    answered_document,
    completion_document,
    new_completion_id,
)
from api.http.documents import RenderedAnswer, saved_document
from api.http.listening import EVENTS, Listens, Told
from api.http.patience import Patience
from api.http.pieces import DONE, events_of
from api.http.reply import NO_HEADERS, Reply
from api.request_log.records import Saved
from shared.cache.lookup import Lookup
from shared.domain.answer import Answer
from shared.domain.chunks import chunks_of
from shared.domain.request import Client, Request
from shared.errors import AskOnceError
from shared.jobs.job import Job, JobStatus, ShownJob

UNBUFFERED = {"X-Accel-Buffering": "no"}
"""Keeps nginx from collecting a stream before it passes it on."""

ANY_ID = "\x00"
"""Stands for the id of the response. JSON has no such character."""

_END = b"}}\n\n"


class StreamedCompletionDialect:
    """See `Dialect`."""

    media_type = EVENTS

    def __init__(self, whole: Dialect, *, counts_tokens: bool) -> None:
        """`whole`: for all that is no answer. `counts_tokens`: clients want the usage at the end."""
        self._whole = whole
        self._counts_tokens = counts_tokens
        self.max_body_bytes = whole.max_body_bytes
        self.task_type = whole.task_type

    def delivering(self, request: Request) -> Dialect:
        """Return this dialect or another one."""
        return self._whole.delivering(request)

    def read(self, content_type: str, body: bytes, client: Client) -> Request:
        """Return the request; raise a RequestError."""
        return self._whole.read(content_type, body, client)

    def render(self, answer: Answer, saved: Saved) -> RenderedAnswer:
        """Return the events of a hit, without its id and tier."""
        document = completion_document(answer.result["completion"], answer.model, int(answer.completed_at.timestamp()))
        ours = {"saved": saved_document(saved), "job_id": str(answer.job_id)}
        events = b"".join(self._events({**document, "usage": NO_USAGE}, ANY_ID, ours))
        if not self._counts_tokens:
            return RenderedAnswer(events + DONE, b"")
        # With room for the tier, in the last event.
        return RenderedAnswer(events.removesuffix(_END) + b',"tier":"', b'"' + _END + DONE)

    def hit(self, found: RenderedAnswer, lookup: Lookup, key: str) -> bytes:
        """Return the events of a hit, with an id of its own."""
        del key
        tier = lookup.visits[-1].tier.encode() if found.after else b""
        return found.before.replace(ANY_ID.encode(), new_completion_id().encode()) + tier + found.after

    def hit_headers(self, job_id: str) -> Mapping[str, str]:
        """Return the headers of a stream."""
        return {**self._whole.hit_headers(job_id), **UNBUFFERED}

    def keep(self, job_id: UUID, tier: str | None = None, saved: Saved | None = None) -> None:
        """Keep nothing: no later call is about this one."""

    def patience(self, prefer: str | None, job: Job) -> Patience:
        """Return how long a client waits for its job."""
        return self._whole.patience(prefer, job)

    def job(self, job: ShownJob, prefer: str | None, headers: Mapping[str, str]) -> Reply:
        """Return the events of the completion, or what else there is to say as a whole."""
        if job.status is not JobStatus.COMPLETED or job.result is None:
            return self._whole.job(job, prefer, headers)
        document = answered_document(job, job.result["completion"])
        events = b"".join(self._events(document, document.pop("id"), document.pop("x_askonce")))
        return Reply(200, events + DONE, EVENTS, {**headers, JOB_HEADER: str(job.id), **UNBUFFERED})

    def listens(self, job: Job, headers: Mapping[str, str], told: Told) -> Listens:
        """Return how a stream begins that goes on while the job runs."""
        headers = {**headers, JOB_HEADER: str(job.id), **UNBUFFERED}
        return Listens(new_completion_id(), self._counts_tokens, headers, claims_over(job), told)

    def refused(self, error: AskOnceError, headers: Mapping[str, str] = NO_HEADERS) -> Reply:
        """Return the error in OpenAI's shape."""
        return self._whole.refused(error, headers)

    def _events(self, document: Mapping[str, Any], known_as: str, ours: Mapping[str, Any]) -> Iterator[bytes]:
        chunks = chunks_of(document, include_usage=self._counts_tokens)
        return events_of(chunks, known_as, ours, counts_tokens=self._counts_tokens)


def claims_over(job: Job) -> int:
    """Return up to which of its claims a job is known to have lost what was made."""
    # What a queued job has been claimed for before is over.
    return max(0, job.claims if job.status is JobStatus.QUEUED else job.claims - 1)
