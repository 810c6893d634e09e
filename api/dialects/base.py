"""The protocol of dialects. What lies between a request and its reply is the same for all of them."""

from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

from api.http.documents import RenderedAnswer
from api.http.listening import Listens, Told
from api.http.patience import Patience
from api.http.reply import NO_HEADERS, Reply
from api.request_log.records import Saved
from shared.cache.lookup import Lookup
from shared.domain.answer import Answer
from shared.domain.request import Client, Request
from shared.errors import AskOnceError
from shared.jobs.job import Job, ShownJob


class Endpoint(Protocol):
    """What all endpoints that ask have in common. Safe to use from several threads."""

    @property
    def max_body_bytes(self) -> int:
        """The size of the largest valid body."""

    @property
    def task_type(self) -> str | None:
        """The task type of all its requests; None if each names its own."""

    def refused(self, error: AskOnceError, headers: Mapping[str, str] = NO_HEADERS) -> Reply:
        """Return the reply that says why there is neither an answer nor a job."""


class Dialect(Endpoint, Protocol):
    """How the endpoints of one kind are spoken to. Safe to use from several threads."""

    @property
    def media_type(self) -> str:
        """The media type of answers."""

    def delivering(self, request: Request) -> "Dialect":
        """Return the dialect in which this request is answered: the same one, or one that answers in pieces."""

    def read(self, content_type: str, body: bytes, client: Client) -> Request:
        """Return the request that a body describes; raise a RequestError for an invalid one."""

    def render(self, answer: Answer, saved: Saved) -> RenderedAnswer:
        """Return what does not change from one hit to the next. `saved`: what each of them saves."""

    def hit(self, found: RenderedAnswer, lookup: Lookup, key: str) -> bytes:
        """Return the body of a hit. `key`: the cache key."""

    def hit_headers(self, job_id: str) -> Mapping[str, str]:
        """Return the headers of a hit, beyond those that every hit has. `job_id`: whose answer it is."""

    def keep(self, job_id: UUID, tier: str | None = None, saved: Saved | None = None) -> None:
        """Keep what later calls have to know of this one, which this job answers; raise DatabaseUnavailable.

        `tier`, `saved`: of a hit, which tier has it and what it saves.
        """

    def patience(self, prefer: str | None, job: Job) -> Patience:
        """Return how long a client waits for its job. `prefer`: the header of this name."""

    def job(self, job: ShownJob, prefer: str | None, headers: Mapping[str, str]) -> Reply:
        """Return the reply to a client whose request this job answers. The job may not have ended."""

    def listens(self, job: Job, headers: Mapping[str, str], told: Told) -> Listens | None:
        """Return what a client gets while its job runs; None for one that gets its answer as a whole.

        `headers`: of every reply to it. `told`: see `Listens`.
        """
