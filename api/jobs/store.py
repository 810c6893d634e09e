"""Jobs as the API needs them: accepted once, read, listed, cancelled."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Row, Text, any_, bindparam, column, func, literal, select, text
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from api.jobs import shares
from api.jobs.admission import estimate_of
from api.jobs.insertion import NewJob
from api.jobs.new_jobs import NewJobs
from api.jobs.pages import read_page
from api.jobs.queue_limits import QueueLimits
from api.jobs.shown import SharedJob, as_cancelled, read_shown
from api.jobs.viewer import Viewer
from api.tracing import NO_IDS, CallIds
from shared.db.engine import Database
from shared.db.group_commit import GroupCommit
from shared.db.tables import LIVE, REQUEST_AT_END, jobs
from shared.domain.prices import Prices
from shared.domain.request import Client, Picture, Request
from shared.domain.routes import documents, routes_from
from shared.errors import JobAlreadyEnded, NotFound, QueueFull
from shared.jobs.job import Job, ShownJob
from shared.jobs.ledger import settle
from shared.jobs.rows import job_from_row
from shared.jobs.transitions import CANCEL, JOIN

_SAME_ID = jobs.c.id == bindparam("job_id")
_SAME_KEY = (jobs.c.cache_key == bindparam("key")) & jobs.c.sharable

_GET = select(jobs).where(_SAME_ID)
_LIVE = select(jobs).where(
    jobs.c.cache_key == any_(bindparam("keys", type_=ARRAY(Text))), jobs.c.sharable, jobs.c.status.in_(JOIN.sources)
)
_CANCEL = CANCEL.update(completed_at=func.now(), request=REQUEST_AT_END).where(_SAME_ID).returning(jobs)
_LIVE_AMONG = text(f"SELECT id FROM jobs WHERE id = ANY(CAST(:ids AS uuid[])) AND {LIVE}")  # noqa: S608  a constant


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What became of a request for a job: a new one, or one in flight that it joined."""

    job: Job
    joined: bool


@dataclass(frozen=True, slots=True)
class Cancellation:
    """What became of a cancel: the job as the client sees it now, and the job that nobody wants any more, if so."""

    seen: ShownJob
    ended: Job | None


class JobStore:
    """The table `jobs`. Every method raises DatabaseUnavailable when PostgreSQL is away."""

    def __init__(self, database: Database, new_jobs: NewJobs, limits: QueueLimits, prices: Prices) -> None:
        """`prices`: for what new jobs may cost."""
        self._database = database
        self._new_jobs = new_jobs
        self._limits = limits
        self._prices = prices
        # Reads only, but those who join jobs at the same time can share a round trip as well.
        self._live: GroupCommit[str, Row[Any] | None] = GroupCommit(self._read_live)

    def accept(
        self,
        request: Request,
        *,
        sharable: bool,
        refresh: bool,
        still_wanted: Callable[[], bool],
        ids: CallIds = NO_IDS,
    ) -> Acceptance | None:
        """Commit a new job, or find the live one of the same key. `ids`: of the call, for a new job.

        None when the caller has to look into the cache again: the live job ended before we could look at it, or
        `still_wanted`, asked once no other job can come in between, says that the answer has arrived meanwhile.
        Raises QueueFull where a new job is needed and there is no room for it, LimitReached where the client's limits
        forbid one, and InvalidRequest for a model without a price where its dollars are limited.
        """
        estimate = estimate_of(request, self._prices)
        new = NewJob(request, sharable, refresh, ids.request_id, still_wanted, estimate, ids.for_job())
        size = len(request.input.content) if isinstance(request.input, Picture) else 0
        try:
            with self._limits.room(size, request.client) as room:
                made = self._new_jobs.make(new)
                room.used = made.job is not None
        except QueueFull:
            joined = self._join(request, refresh=refresh) if sharable else None
            if joined is None and still_wanted():
                raise
            return joined
        if made.refusal is not None:
            raise made.refusal
        if made.job is not None:
            return Acceptance(made.job, joined=False)
        return None if made.is_answered else self._join(request, refresh=refresh)

    def get(self, job_id: UUID) -> Job:
        """Read a job; raise NotFound."""
        row = next(iter(self._database.run(_GET, {"job_id": job_id})), None)
        if row is None:
            raise no_such_job(job_id)
        return job_from_row(row)

    def in_flight(self, key: str, viewer: Viewer | None) -> ShownJob | None:
        """Return the job that a request of this key would join, as somebody sees it; None also for one of others."""
        live = self._live.commit(key)
        found = None if live is None else self.all_shown([live.id]).get(live.id)
        seen = None if found is None else found.seen_by(viewer)
        return None if seen is None or seen.status.ended else seen

    def shown(self, job_id: UUID, viewer: Viewer | None = None) -> ShownJob:
        """Read what somebody, or an admin (None), sees of a job; raise NotFound, also for a job of others."""
        found = self.all_shown([job_id]).get(job_id)
        job = None if found is None else found.seen_by(viewer)
        if job is None:
            raise no_such_job(job_id)
        return job

    def all_shown(self, job_ids: Collection[UUID]) -> Mapping[UUID, SharedJob]:
        """Read jobs and whose they are, in one round trip; those that don't exist are missing."""
        return read_shown(self._database, job_ids)

    def ended(self, job_ids: Collection[UUID]) -> set[UUID]:
        """Return which of these jobs have ended, or are gone."""
        live = self._database.run(_LIVE_AMONG, {"ids": [str(job_id) for job_id in job_ids]})
        return set(job_ids).difference(row.id for row in live)

    def page(
        self,
        *,
        status: str | None,
        task_type: str | None,
        limit: int,
        before: UUID | None,
        viewer: Viewer | None = None,
    ) -> tuple[list[ShownJob], bool]:
        """List jobs without their requests, newest first, those older than `before`.

        Those that somebody has a part in, as it sees them, or all (None). Filters are about the jobs as they are, also
        where one is seen as cancelled. The second value says whether there are more. A page may be short.
        """
        values = {"status": status, "task_type": task_type}
        wanted = {name: value for name, value in values.items() if value is not None}
        tenant = None if viewer is None else viewer.tenant
        with self._database.begin() as connection:
            found, more = read_page(connection, wanted, limit=limit, before=before, tenant=tenant)
        return [seen for each in found if (seen := each.seen_by(viewer)) is not None], more

    def cancel(self, job_id: UUID, viewer: Viewer | None = None) -> Cancellation:
        """Give up somebody's shares of a live job, or those of all (None), and cancel it with the last one.

        Raises NotFound, also for a job of others, and JobAlreadyEnded, also for one that this key has given up already.
        """
        with self._database.begin() as connection:
            row = shares.lock(connection, job_id)
            found = None if row is None else SharedJob(job_from_row(row), shares.shares_of(row))
            seen = None if found is None else found.seen_by(viewer)
            if found is None or seen is None:
                raise no_such_job(job_id)
            if seen.status.ended:
                message = f"The job is {seen.status} already, too late to cancel it. Read it for what became of it."
                raise JobAlreadyEnded(message)
            given_up = shares.given_up(found.shares, viewer)
            if any(not share.withdrawn and share not in given_up for share in found.shares):
                shares.withdraw(connection, job_id, given_up)
                return Cancellation(as_cancelled(seen), None)
            job = job_from_row(connection.execute(_CANCEL, {"job_id": job_id}).one())
            if job.budgeted:
                settle(connection, [job_id])
            return Cancellation(job, job)

    def _join(self, request: Request, *, refresh: bool) -> Acceptance | None:
        """Find the live job, and hold it to what this request wants too: no other models, its own answer, a stream.

        None when there is none, or none any more.
        """
        live = self._live.commit(request.key)
        if live is not None and _wants_more(request, refresh=refresh, live=live):
            wanted = JOIN.update(
                fallbacks=_allowed_by(request),
                refresh=jobs.c.refresh | refresh,
                streams=jobs.c.streams | request.streams,
            )
            found = self._database.run(wanted.where(_SAME_KEY).returning(jobs), {"key": request.key})
            live = next(iter(found), None)
        if live is None or not self._has_share(live.id, request.client):
            return None
        job = job_from_row(live)
        # Whose trace it is in is none of another tenant's business.
        return Acceptance(job if live.tenant == request.client.tenant else replace(job, trace=None), joined=True)

    def _has_share(self, job_id: UUID, client: Client) -> bool:
        """Give a client its share of a job; return False if the job has ended meanwhile. Without keys all is of all."""
        if client.key_id is None:
            return True
        with self._database.begin() as connection:
            return shares.join(connection, job_id, client)

    def _read_live(self, keys: Sequence[str]) -> list[Row[Any] | None]:
        """Return the live job of each key that others may join, None where there is none."""
        found = {row.cache_key: row for row in self._database.run(_LIVE, {"keys": list(set(keys))})}
        return [found.get(key) for key in keys]


def no_such_job(job_id: UUID) -> NotFound:
    """Return the error that says so."""
    message = (
        f"There is no job {job_id}: they are deleted after RETENTION_DAYS. Check the id, or send the request again."
    )
    return NotFound(message)


def _allowed_by(request: Request) -> ColumnElement[Any]:
    """Return the fallbacks of a row that a request allows too, null for none: whoever else changes it meanwhile."""
    elements = func.jsonb_array_elements(jobs.c.fallbacks)
    each = elements.table_valued(column("route", JSONB), with_ordinality="place").render_derived("each")
    allowed = literal(documents(request.fallbacks), JSONB).contains(func.jsonb_build_array(each.c.route))
    found = func.jsonb_agg(aggregate_order_by(each.c.route, each.c.place))
    return select(found).select_from(each).where(allowed).scalar_subquery()


def _wants_more(request: Request, *, refresh: bool, live: Row[Any]) -> bool:
    forbids = not set(routes_from(live.fallbacks)).issubset(request.fallbacks)
    return forbids or (refresh and not live.refresh) or (request.streams and not live.streams)
