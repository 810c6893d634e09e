"""Jobs as the API needs them: accepted once, read, listed, cancelled."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Row, Text, any_, bindparam, func, select, text

from api.jobs.insertion import NewJob
from api.jobs.new_jobs import NewJobs
from api.jobs.pages import read_page
from api.jobs.queue_limits import QueueLimits
from api.jobs.shown import read_shown
from shared.db.engine import Database
from shared.db.group_commit import GroupCommit
from shared.db.tables import LIVE, REQUEST_AT_END, jobs
from shared.domain.request import Picture, Request
from shared.errors import JobAlreadyEnded, NotFound, QueueFull
from shared.jobs.job import Job, ShownJob
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


class JobStore:
    """The table `jobs`. Every method raises DatabaseUnavailable when PostgreSQL is away."""

    def __init__(self, database: Database, new_jobs: NewJobs, limits: QueueLimits) -> None:
        self._database = database
        self._new_jobs = new_jobs
        self._limits = limits
        # Reads only, but those who join jobs at the same time can share a round trip as well.
        self._live: GroupCommit[str, Row[Any] | None] = GroupCommit(self._read_live)

    def accept(
        self,
        request: Request,
        *,
        sharable: bool,
        refresh: bool,
        still_wanted: Callable[[], bool],
        request_id: str | None = None,
    ) -> Acceptance | None:
        """Commit a new job, or find the live one of the same key. `request_id`: for the log of a new job.

        None when the caller has to look into the cache again: the live job ended before we could look at it, or
        `still_wanted`, asked once no other job can come in between, says that the answer has arrived meanwhile.
        Raises QueueFull where a new job is needed and there is no room for it.
        """
        new = NewJob(request, sharable, refresh, request_id, still_wanted)
        size = len(request.input.content) if isinstance(request.input, Picture) else 0
        try:
            with self._limits.room(size) as room:
                made = self._new_jobs.make(new)
                room.used = made.job is not None
        except QueueFull:
            joined = self._join(request, refresh=refresh) if sharable else None
            if joined is None and still_wanted():
                raise
            return joined
        if made.job is not None:
            return Acceptance(made.job, joined=False)
        return None if made.is_answered else self._join(request, refresh=refresh)

    def get(self, job_id: UUID) -> Job:
        """Read a job; raise NotFound."""
        row = next(iter(self._database.run(_GET, {"job_id": job_id})), None)
        if row is None:
            raise no_such_job(job_id)
        return job_from_row(row)

    def shown(self, job_id: UUID) -> ShownJob:
        """Read what clients see of a job; raise NotFound."""
        job = self.all_shown([job_id]).get(job_id)
        if job is None:
            raise no_such_job(job_id)
        return job

    def all_shown(self, job_ids: Collection[UUID]) -> Mapping[UUID, ShownJob]:
        """Read what clients see of jobs, in one round trip; those that don't exist are missing."""
        return read_shown(self._database, job_ids)

    def ended(self, job_ids: Collection[UUID]) -> set[UUID]:
        """Return which of these jobs have ended, or are gone."""
        live = self._database.run(_LIVE_AMONG, {"ids": [str(job_id) for job_id in job_ids]})
        return set(job_ids).difference(row.id for row in live)

    def page(
        self, *, status: str | None, task_type: str | None, limit: int, before: UUID | None
    ) -> tuple[list[Job], bool]:
        """List jobs without their requests, newest first, those older than `before`.

        The second value says whether there are more. A page may be short.
        """
        filters = [
            *([] if status is None else [jobs.c.status == status]),
            *([] if task_type is None else [jobs.c.task_type == task_type]),
            *([] if before is None else [jobs.c.id < before]),
        ]
        with self._database.begin() as connection:
            return read_page(connection, filters, limit)

    def cancel(self, job_id: UUID) -> Job:
        """Cancel a live job at once, for everyone who joined it; raise NotFound or JobAlreadyEnded."""
        row = next(iter(self._database.run(_CANCEL, {"job_id": job_id})), None)
        if row is not None:
            return job_from_row(row)
        job = self.get(job_id)
        message = f"The job is {job.status} already; only queued and running jobs can be cancelled."
        raise JobAlreadyEnded(message)

    def _join(self, request: Request, *, refresh: bool) -> Acceptance | None:
        """Find the live job, and hold it to what this request forbids too: another model, another job's answer.

        None when there is none, or none any more.
        """
        live = self._live.commit(request.key)
        if live is not None and _is_stricter(request, refresh=refresh, live=live):
            stricter = JOIN.update(
                fallback_model=None if request.fallback_model is None else jobs.c.fallback_model,
                refresh=jobs.c.refresh | refresh,
            )
            found = self._database.run(stricter.where(_SAME_KEY).returning(jobs), {"key": request.key})
            live = next(iter(found), None)
        return None if live is None else Acceptance(job_from_row(live), joined=True)

    def _read_live(self, keys: Sequence[str]) -> list[Row[Any] | None]:
        """Return the live job of each key that others may join, None where there is none."""
        found = {row.cache_key: row for row in self._database.run(_LIVE, {"keys": list(set(keys))})}
        return [found.get(key) for key in keys]


def no_such_job(job_id: UUID) -> NotFound:
    """Return the error that says so."""
    message = f"There is no job {job_id}. Jobs are deleted after RETENTION_DAYS."
    return NotFound(message)


def _is_stricter(request: Request, *, refresh: bool, live: Row[Any]) -> bool:
    return (refresh and not live.refresh) or (request.fallback_model is None and live.fallback_model is not None)
