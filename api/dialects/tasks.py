"""The dialect of `predict`: task types, documents of our own, RFC 9457 for errors."""

from collections.abc import Mapping
from uuid import UUID

from api.http.documents import RenderedAnswer, hit_body, render
from api.http.explained import EXPLAIN, why
from api.http.intake import Rules, read_request
from api.http.job_replies import asked_job_reply
from api.http.listening import Told
from api.http.patience import Patience, preferred_patience
from api.http.problems import error_reply
from api.http.reply import JSON, NO_HEADERS, Reply
from api.request_log.records import Saved
from shared.cache.lookup import Lookup
from shared.domain.answer import Answer
from shared.domain.request import Client, Request
from shared.errors import AskOnceError
from shared.jobs.job import Job, ShownJob


class TaskDialect:
    """See `Dialect`."""

    media_type = JSON
    task_type = None

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.max_body_bytes = rules.max_body_bytes

    def delivering(self, request: Request) -> "TaskDialect":
        """Return this dialect: it has one way to answer."""
        del request
        return self

    def read(self, content_type: str, body: bytes, client: Client) -> Request:
        """Return the request; raise a RequestError."""
        return read_request(content_type, body, client, self._rules)

    def render(self, answer: Answer, saved: Saved) -> RenderedAnswer:
        """Return the parts of a hit's document."""
        del saved
        return render(answer)

    def hit(self, found: RenderedAnswer, lookup: Lookup, key: str) -> bytes:
        """Return the document of a hit."""
        return hit_body(found, lookup, key)

    def hit_headers(self, job_id: str) -> Mapping[str, str]:
        """Return none: the document names the job."""
        del job_id
        return NO_HEADERS

    def keep(self, job_id: UUID, tier: str | None = None, saved: Saved | None = None) -> None:
        """Keep nothing: no later call is about this one."""

    def patience(self, prefer: str | None, job: Job) -> Patience:
        """Return what `Prefer: wait=N` states."""
        del job
        return preferred_patience(prefer)

    def job(self, job: ShownJob, prefer: str | None, headers: Mapping[str, str]) -> Reply:
        """Return 200 with the answer, an error, or 202 with the job."""
        del prefer
        return asked_job_reply(job, headers)

    def listens(self, job: Job, headers: Mapping[str, str], told: Told) -> None:
        """Return None: answers come as a whole."""
        del job, headers, told

    def refused(self, error: AskOnceError, headers: Mapping[str, str] = NO_HEADERS) -> Reply:
        """Return the problem document."""
        return error_reply(error, {**why(error, EXPLAIN), **headers})
