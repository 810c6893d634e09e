"""Polls of jobs, without Flask: of a job that has ended mostly without a thread, of others with one for many.

It takes GETs whose head is plain. Flask's view serves all others, such as those with `Prefer`. Both are made of the
same functions, and a test compares their responses.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from api.access.scopes import POLL_SCOPES
from api.bootstrap import ApiServices
from api.front.ended_jobs import EndedJobs
from api.front.hosts import KnownHosts
from api.front.lane import Lane
from api.front.read_together import ReadTogether
from api.front.responses import headers_for, id_of, to_response
from api.front.wsgi import Response, Scope
from api.http.job_replies import polled_job_reply
from api.http.outages import while_reading
from api.http.patience import preferred_patience
from api.http.problems import error_reply
from api.http.reply import Reply
from api.jobs.store import no_such_job
from api.jobs.viewer import Viewer, viewer_of
from api.prefer_wait import hold
from shared.errors import AskOnceError, Overloaded
from shared.jobs.job import JobStatus

THREADS = 4

KEPT_SECONDS = 5.0
"""How long a rendered job is served, at most. An ended job does change: it is deleted, or its result is."""

KEPT_BYTES = 32_000_000

# A cancelled job is not among them: the call that was under way may still bring its usage.
FINAL = frozenset({JobStatus.COMPLETED, JobStatus.FAILED})

# In the one form that our own URLs have.
PATH = re.compile("(?:/api/v1)?/jobs/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")

SPECIAL = frozenset({"content-length", "transfer-encoding", "content-encoding", "expect", "prefer"})
"""Headers whose rules only the view knows."""


class Polled(NamedTuple):
    """A job, and as whom it is polled."""

    job_id: str
    viewer: Viewer | None


class _Rendered(NamedTuple):
    reply: Reply
    is_final: bool


class Polls:
    """The polls of one server process. Used by its event loop."""

    def __init__(self, services: ApiServices, limit: int) -> None:
        """`limit`: how many polls may wait for PostgreSQL at once."""
        self._services = services
        self._access = services.access
        self._hosts = KnownHosts(services.settings.allowed_hosts)
        self.lane = Lane("polls", THREADS, limit)
        self._reading: ReadTogether[Polled, _Rendered] = ReadTogether(self._read, self.lane, limit)
        self._ended: EndedJobs[Polled] = EndedJobs(KEPT_BYTES, KEPT_SECONDS)

    def job_of(self, scope: Scope) -> Polled | None:
        """Return which job a request polls, and for whom; None if the view has to serve it."""
        if scope.method != "GET" or scope.query_string or scope.authority is not None:
            return None
        match = PATH.fullmatch(scope.path)
        if match is None:
            return None
        headers: Mapping[str, str] | None = scope.headers.by_name
        if headers is None or not SPECIAL.isdisjoint(headers) or not self._hosts.allow(headers.get("host", "")):
            return None
        client = self._access.let_in(headers, *POLL_SCOPES)
        return None if client is None else Polled(match[1], viewer_of(client))

    async def serve(self, polled: Polled, scope: Scope) -> Response:
        """Return the response to a poll that `job_of` has found; raise Overloaded."""
        reply = self._ended.find(polled)
        if reply is None:
            reply = await self._reply(polled)
        return to_response(reply, headers_for(id_of(scope)))

    async def _reply(self, polled: Polled) -> Reply:
        try:
            rendered = await self._reading.get(polled)
        except Overloaded:
            raise
        except AskOnceError as err:
            return error_reply(while_reading(err))
        if rendered is None:
            return error_reply(no_such_job(UUID(polled.job_id)))
        if rendered.is_final:
            self._ended.keep(polled, rendered.reply)
        return rendered.reply

    def _read(self, polls: Sequence[Polled]) -> Mapping[Polled, _Rendered]:
        """Read and render jobs, in a thread: results may be large."""
        found = self._services.jobs.all_shown({UUID(polled.job_id) for polled in polls})
        rendered = {}
        for polled in polls:
            shared = found.get(UUID(polled.job_id))
            job = None if shared is None else shared.seen_by(polled.viewer)
            if job is None:
                continue
            reply = hold(job, preferred_patience(None), self._services, polled_job_reply, polled.viewer)
            if isinstance(reply, Reply):
                rendered[polled] = _Rendered(reply, job.status in FINAL)
        return rendered
