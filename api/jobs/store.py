"""Jobs as the API needs them: accepted once, read, listed, cancelled."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, text
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.sql.dml import ReturningInsert

from api.jobs.pages import read_page
from api.jobs.queue_limits import QueueLimits
from api.request_log.redaction import redacted_request
from shared.db.engine import Database
from shared.db.tables import LIVE, REQUEST_AT_END, jobs, pictures
from shared.domain.request import Picture, Request
from shared.errors import JobAlreadyEnded, NotFound, QueueFull
from shared.jobs.job import Job, job_from_row
from shared.jobs.transitions import ACCEPT, CANCEL, JOIN, PUBLISH_SOON
from shared.times import new_id

SECONDS_PER_BYTE = 0.5e-6
"""How much longer a transaction may take that carries a picture: 5 s for 10 MB, on a slow or busy PostgreSQL."""

_LIVE_AMONG = text(f"SELECT id FROM jobs WHERE id = ANY(CAST(:ids AS uuid[])) AND {LIVE}")  # noqa: S608  a constant


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What became of a request for a job: a new one, or one in flight that it joined."""

    job: Job
    joined: bool


class JobStore:
    """The table `jobs`. Every method raises DatabaseUnavailable when PostgreSQL is away."""

    def __init__(
        self,
        database: Database,
        deadline_seconds: int,
        republish_seconds: float,
        *,
        limits: QueueLimits,
        redact: bool = False,
    ) -> None:
        """Take the times within which a new job must have ended, and after which its message is taken for lost.

        `redact`: once a job has ended its row holds digests in place of texts.
        """
        self._limits = limits
        self._database = database
        self._deadline = timedelta(seconds=deadline_seconds)
        self._republish = timedelta(seconds=republish_seconds)
        self._redact = redact

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
        picture = request.input if isinstance(request.input, Picture) else None
        size = 0 if picture is None else len(picture.content)
        try:
            with self._limits.room(size) as room:
                with self._database.begin(size * SECONDS_PER_BYTE) as connection:
                    if picture is not None:
                        connection.execute(_keep_picture(picture))
                    insertion = self._insert(request, sharable=sharable, refresh=refresh, request_id=request_id)
                    inserted = connection.execute(insertion).first()
                    if inserted is not None and not still_wanted():
                        connection.rollback()
                        return None
                if inserted is not None:
                    room.used = True
                    return Acceptance(job_from_row(inserted), joined=False)
        except QueueFull:
            joined = self._join(request, refresh=refresh) if sharable else None
            if joined is None and still_wanted():
                raise
            return joined
        return self._join(request, refresh=refresh)

    def get(self, job_id: UUID) -> Job:
        """Read a job; raise NotFound."""
        with self._database.begin() as connection:
            row = connection.execute(select(jobs).where(jobs.c.id == job_id)).first()
        if row is None:
            message = f"There is no job {job_id}. Jobs are deleted after RETENTION_DAYS."
            raise NotFound(message)
        return job_from_row(row)

    def ended(self, job_ids: Collection[UUID]) -> set[UUID]:
        """Return which of these jobs have ended, or are gone."""
        with self._database.begin() as connection:
            live = connection.scalars(_LIVE_AMONG, {"ids": [str(job_id) for job_id in job_ids]})
            return set(job_ids).difference(live)

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
        with self._database.begin() as connection:
            row = connection.execute(
                CANCEL.update(completed_at=func.now(), request=REQUEST_AT_END)
                .where(jobs.c.id == job_id)
                .returning(jobs)
            ).first()
        if row is not None:
            return job_from_row(row)
        job = self.get(job_id)
        message = f"The job is {job.status} already; only queued and running jobs can be cancelled."
        raise JobAlreadyEnded(message)

    def publish_soon(self, job_id: UUID) -> None:
        """Let maintenance publish a job whose message could not be sent."""
        with self._database.begin() as connection:
            connection.execute(PUBLISH_SOON.update(publish_at=func.now()).where(jobs.c.id == job_id))

    def _join(self, request: Request, *, refresh: bool) -> Acceptance | None:
        """Find the live job, and hold it to what this request forbids too: another model, another job's answer.

        None when there is none, or none any more.
        """
        same_key = (jobs.c.cache_key == request.key) & jobs.c.sharable
        stricter = JOIN.update(
            fallback_model=None if request.fallback_model is None else jobs.c.fallback_model,
            refresh=jobs.c.refresh | refresh,
        )
        with self._database.begin() as connection:
            live = connection.execute(select(jobs).where(same_key, jobs.c.status.in_(JOIN.sources))).first()
            if live is not None and _is_stricter(request, refresh=refresh, live=live):
                live = connection.execute(stricter.where(same_key).returning(jobs)).first()
        return None if live is None else Acceptance(job_from_row(live), joined=True)

    def _insert(
        self, request: Request, *, sharable: bool, refresh: bool, request_id: str | None
    ) -> ReturningInsert[Any]:
        picture = request.input if isinstance(request.input, Picture) else None
        body = request.as_body()
        values = {
            "id": new_id(),
            "client": request.client.name,
            "namespace": request.client.namespace,
            "task_type": request.task_type,
            "queue": request.offer.task_type.queue,
            "provider": request.serving.provider,
            "model": request.model,
            "fallback_model": request.fallback_model,
            "cache_key": request.key,
            "picture_sha256": None if picture is None else picture.sha256,
            "sharable": sharable,
            "refresh": refresh,
            "status": ACCEPT.target,
            "request": body,
            "request_id": request_id,
            "redacted_request": redacted_request(body) if self._redact else None,
            "not_before": func.now(),
            "publish_at": func.now() + self._republish,
            "deadline_at": func.now() + self._deadline,
        }
        return (
            insert(jobs)
            .values(values)
            .on_conflict_do_nothing(index_elements=["cache_key"], index_where=text(f"{LIVE} AND sharable"))
            .returning(jobs)
        )


def _is_stricter(request: Request, *, refresh: bool, live: Row[Any]) -> bool:
    return (refresh and not live.refresh) or (request.fallback_model is None and live.fallback_model is not None)


def _keep_picture(picture: Picture) -> Insert:
    """Keep the bytes until the job has ended; a second upload of the same bytes only renews their time."""
    values = {"sha256": picture.sha256, "content": picture.content, "media_type": picture.media_type}
    statement = insert(pictures).values(values)
    return statement.on_conflict_do_update(index_elements=["sha256"], set_={"used_at": func.now()})
