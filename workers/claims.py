"""Jobs as a worker needs them: claimed once, and every later write fenced by that claim."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Update, func, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from uuid_utils.compat import uuid7

from shared.answer import Answer, Usage
from shared.db.engine import Database
from shared.db.models import jobs, pictures, provider_calls
from shared.errors import AskOnceError
from shared.job_errors import ContentBusy, ImageUnreachable
from shared.jobs import Job, JobFailure, JobStatus, job_from_row
from shared.request import Picture


@dataclass(frozen=True, slots=True)
class ProviderCall:
    """One call to a provider, whatever became of its job. `error_code` is None for a whole answer."""

    started_at: datetime
    ended_at: datetime
    error_code: str | None
    usage: Usage


class Claims:
    """A worker's writes to the table `jobs`. Raises DatabaseUnavailable when PostgreSQL is away."""

    def __init__(self, database: Database, lease_seconds: float) -> None:
        """`lease_seconds`: how long a claim holds without being renewed."""
        self._database = database
        self._lease = timedelta(seconds=lease_seconds)

    def claim(self, job_id: UUID) -> Job | None:
        """Take a job that is queued and due; None when there is nothing to take, as for a doubled message."""
        statement = (
            update(jobs)
            .where(jobs.c.id == job_id, jobs.c.status == JobStatus.QUEUED, jobs.c.not_before <= func.now())
            .values(
                status=JobStatus.IN_PROGRESS,
                attempts=jobs.c.attempts + 1,
                claims=jobs.c.claims + 1,
                lease_until=func.now() + self._lease,
                started_at=func.coalesce(jobs.c.started_at, func.now()),
                paying_key=None,
            )
            .returning(jobs)
        )
        with self._database.begin() as connection:
            row = connection.execute(statement).first()
        return None if row is None else job_from_row(row)

    def renew(self, held: Iterable[Job]) -> None:
        """Extend the leases of these claims, where they still hold."""
        fences = [(job.id, job.claims) for job in held]
        if not fences:
            return
        with self._database.begin() as connection:
            connection.execute(
                update(jobs)
                .where(tuple_(jobs.c.id, jobs.c.claims).in_(fences), jobs.c.status == JobStatus.IN_PROGRESS)
                .values(lease_until=func.now() + self._lease)
            )

    def reserve(self, job: Job, content_key: str | None) -> bool:
        """Become the one job that pays for this content; False when the claim no longer holds, after a cancel say.

        Without a key only the claim is looked at. Raises ContentBusy while another job pays for the content.
        """
        try:
            with self._database.begin() as connection:
                reserving = _of_claim(job, JobStatus.IN_PROGRESS).values(paying_key=content_key)
                return connection.execute(reserving).rowcount == 1
        except IntegrityError as err:
            raise ContentBusy from err

    def read_picture(self, job: Job) -> Picture:
        """Return the picture that came with the request."""
        with self._database.begin() as connection:
            row = connection.execute(select(pictures).where(pictures.c.sha256 == job.picture_sha256)).first()
        if row is None:
            message = "The uploaded picture is gone."
            raise ImageUnreachable(message)
        return Picture(row.sha256, row.media_type, bytes(row.content))

    def complete(self, job: Job, answer: Answer, call: ProviderCall | None) -> bool:
        """Commit the answer and the call that was paid for it; False when the claim no longer holds.

        A job cancelled meanwhile stays so, but keeps the result: hits that it made possible refer to it.
        """
        answered = {"result": answer.result, **asdict(answer.usage)}
        completed_at = answer.completed_at if answer.job_id == job.id else func.now()
        ended = {"status": JobStatus.COMPLETED, "completed_at": completed_at, **answered}
        with self._database.begin() as connection:
            completed = _end(connection, job, ended, call)
            if not completed:
                connection.execute(_of_claim(job, JobStatus.CANCELLED).values(answered))
        return completed

    def fail(self, job: Job, error: AskOnceError, call: ProviderCall | None) -> bool:
        """Commit why the job failed; False when the claim no longer holds."""
        failure = JobFailure(error.code, error.title, error.detail, error.retryable)
        values = {"status": JobStatus.FAILED, "error": asdict(failure), "completed_at": func.now()}
        with self._database.begin() as connection:
            return _end(connection, job, values, call)

    def put_back(self, job: Job, delay: float, call: ProviderCall | None = None, *, counted: bool = True) -> bool:
        """Queue the job again, due in `delay` seconds; an attempt that does not count is taken back."""
        due = func.now() + timedelta(seconds=delay)
        attempts = jobs.c.attempts if counted else jobs.c.attempts - 1
        values = {"status": JobStatus.QUEUED, "not_before": due, "publish_at": due, "attempts": attempts}
        with self._database.begin() as connection:
            return _end(connection, job, values, call)


def _end(connection: Connection, job: Job, values: dict[str, Any], call: ProviderCall | None) -> bool:
    if call is not None:
        _record(connection, job, call)
    released = {"lease_until": None, "paying_key": None}
    return connection.execute(_of_claim(job, JobStatus.IN_PROGRESS).values(**values, **released)).rowcount == 1


def _of_claim(job: Job, status: JobStatus) -> Update:
    return update(jobs).where(jobs.c.id == job.id, jobs.c.claims == job.claims, jobs.c.status == status)


def _record(connection: Connection, job: Job, call: ProviderCall) -> None:
    """Write the call down also when the job is no longer ours: it was paid all the same."""
    connection.execute(
        insert(provider_calls).values(
            id=uuid7(),
            job_id=job.id,
            attempt=job.attempts,
            task_type=job.task_type,
            provider=job.provider,
            model=job.model,
            outcome="completed" if call.error_code is None else "failed",
            error_code=call.error_code,
            started_at=call.started_at,
            ended_at=call.ended_at,
            **asdict(call.usage),
        )
    )
