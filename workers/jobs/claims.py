"""Jobs as a worker needs them: claimed once, and every later write fenced by that claim."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, func, select, tuple_, update

from shared.db.engine import Database
from shared.db.tables import REQUEST_AT_END, jobs
from shared.domain.answer import Answer
from shared.domain.prices import Prices
from shared.errors import AskOnceError
from shared.jobs.job import Job, JobFailure, JobStatus, job_from_row
from shared.times import new_id
from workers.jobs import provider_calls as call_records
from workers.jobs.outage_retry import OutageRetry, retried_while_unavailable
from workers.jobs.provider_calls import ProviderCall

_RELEASED = {"lease_until": None, "content_lock": None}


class Claims:
    """A worker's writes to the table `jobs`. All but `renew` wait, within `outage_retry`, for PostgreSQL to come back.

    Then they raise DatabaseUnavailable. A write whose commit was not confirmed is done again, so each finds out whether
    it has been done already.
    """

    def __init__(self, database: Database, lease_seconds: float, prices: Prices, outage_retry: OutageRetry) -> None:
        """`lease_seconds`: how long a claim holds without being renewed. `prices`: of the calls to providers."""
        self._database = database
        self.outage_retry = outage_retry
        self._prices = prices
        self._lease = timedelta(seconds=lease_seconds)

    def claim(self, job_id: UUID) -> Job | None:
        """Take a job that is queued and due; None when there is nothing to take, as for a doubled message."""
        return self._claim(job_id, new_id())

    @retried_while_unavailable
    def _claim(self, job_id: UUID, claim_id: UUID) -> Job | None:
        taking = (
            update(jobs)
            .where(jobs.c.id == job_id, jobs.c.status == JobStatus.QUEUED, jobs.c.not_before <= func.now())
            .values(
                status=JobStatus.IN_PROGRESS,
                attempts=jobs.c.attempts + 1,
                claims=jobs.c.claims + 1,
                claim_id=claim_id,
                lease_until=func.now() + self._lease,
                started_at=func.coalesce(jobs.c.started_at, func.now()),
                content_lock=None,
            )
            .returning(jobs)
        )
        taken = select(jobs).where(
            jobs.c.id == job_id, jobs.c.claim_id == claim_id, jobs.c.status == JobStatus.IN_PROGRESS
        )
        with self._database.begin() as connection:
            row = connection.execute(taking).first() or connection.execute(taken).first()
        return None if row is None else job_from_row(row)

    def renew(self, held: Iterable[Job]) -> None:
        """Extend the leases of these claims, where they still hold."""
        fences = _fences(held)
        if not fences:
            return
        with self._database.begin() as connection:
            connection.execute(update(jobs).where(_held(fences)).values(lease_until=func.now() + self._lease))

    def still_hold(self, held: Iterable[Job]) -> set[tuple[UUID, int]]:
        """Return the ids and fences of those of these claims that still hold."""
        fences = _fences(held)
        if not fences:
            return set()
        with self._database.begin() as connection:
            return {
                (row.id, row.claims)
                for row in connection.execute(select(jobs.c.id, jobs.c.claims).where(_held(fences)))
            }

    def begin_call(self, job: Job, model: str) -> UUID | None:
        """Put a call to the provider on record before it is made; None when the claim no longer holds."""
        call_id = new_id()
        return call_id if self._begin_call(job, model, call_id) else None

    @retried_while_unavailable
    def _begin_call(self, job: Job, model: str, call_id: UUID) -> bool:
        with self._database.begin() as connection:
            return call_records.begin(connection, job, model, call_id)

    @retried_while_unavailable
    def end_open_calls(self, job: Job, error: AskOnceError) -> None:
        """Put on record that a call of this attempt has ended nobody knows how."""
        with self._database.begin() as connection:
            call_records.end_open(connection, job, error.code)

    @retried_while_unavailable
    def end_call(self, call: ProviderCall) -> None:
        """Put the end of a call on record while its job goes on."""
        with self._database.begin() as connection:
            call_records.end(connection, call, self._prices)

    @retried_while_unavailable
    def complete(self, job: Job, answer: Answer, call: ProviderCall | None) -> bool:
        """Commit the answer and the call that was paid for it; False when the claim no longer holds.

        It still holds when the lease ran out and nobody else has claimed the job. A job cancelled meanwhile stays so,
        but keeps the result: hits that it made possible refer to it.
        """
        answered = _answered(answer)
        completed_at = answer.completed_at if answer.job_id == job.id else func.now()
        ended = {"status": JobStatus.COMPLETED, "completed_at": completed_at, "request": REQUEST_AT_END, **answered}
        with self._database.begin() as connection:
            completed = self._end(connection, job, ended, call, JobStatus.IN_PROGRESS, JobStatus.QUEUED)
            if not completed:
                connection.execute(update(jobs).where(of_claim(job, JobStatus.CANCELLED)).values(answered))
            if call is None and answer.job_id == job.id:
                call_records.settle_from_cache(connection, answer, self._prices)
        return completed

    @retried_while_unavailable
    def complete_stale(self, job: Job, answer: Answer, call: ProviderCall | None) -> bool:
        """Commit an old answer, and the call that failed; False when the claim no longer holds.

        Or when a client has joined meanwhile who forbids old answers.
        """
        ended = {"status": JobStatus.COMPLETED, "completed_at": func.now(), "request": REQUEST_AT_END, "stale": True}
        ending = update(jobs).where(of_claim(job, JobStatus.IN_PROGRESS), jobs.c.refresh.is_(False))
        with self._database.begin() as connection:
            if call is not None:
                call_records.end(connection, call, self._prices)
            changed = connection.execute(ending.values(**ended, **_answered(answer), **_RELEASED)).rowcount == 1
            return changed or _is_already(connection, job, JobStatus.COMPLETED)

    @retried_while_unavailable
    def fail(self, job: Job, error: AskOnceError, call: ProviderCall | None) -> bool:
        """Commit why the job failed; False when the claim no longer holds."""
        failure = JobFailure(error.code, error.title, error.detail, error.retryable)
        ended = {"status": JobStatus.FAILED, "completed_at": func.now(), "request": REQUEST_AT_END}
        with self._database.begin() as connection:
            return self._end(connection, job, {**ended, "error": asdict(failure)}, call)

    @retried_while_unavailable
    def requeue(self, job: Job, delay: float, call: ProviderCall | None = None, *, counted: bool) -> bool:
        """Queue the job again, due in `delay` seconds; False when the claim no longer holds.

        `counted` is False for a job that only had to wait: it takes its attempt back, and becomes due on the next whole
        second, so that waiting jobs are published together, in the order in which they were accepted.
        """
        due = func.now() + timedelta(seconds=delay)
        values: dict[str, Any] = {}
        if not counted:
            due = func.date_trunc("second", due) + timedelta(seconds=1)
            # Its message was not lost, however often this job has waited.
            values = {"attempts": jobs.c.attempts - 1, "publishes": 0}
        values |= {"status": JobStatus.QUEUED, "not_before": due, "publish_at": due}
        with self._database.begin() as connection:
            return self._end(connection, job, values, call)

    def _end(
        self, connection: Connection, job: Job, values: dict[str, Any], call: ProviderCall | None, *of: JobStatus
    ) -> bool:
        if call is not None:
            call_records.end(connection, call, self._prices)
        ours = update(jobs).where(of_claim(job, *of or (JobStatus.IN_PROGRESS,)))
        return connection.execute(ours.values(**values, **_RELEASED)).rowcount == 1 or _is_already(
            connection, job, values["status"]
        )


def _is_already(connection: Connection, job: Job, status: JobStatus) -> bool:
    """Tell whether the job is as this claim wants it: a commit that was not confirmed has made it so."""
    same = select(jobs.c.id).where(jobs.c.id == job.id, jobs.c.claims == job.claims, jobs.c.status == status)
    return connection.execute(same).first() is not None


def _fences(held: Iterable[Job]) -> list[tuple[UUID, int]]:
    return [(job.id, job.claims) for job in held]


def _held(fences: list[tuple[UUID, int]]) -> ColumnElement[bool]:
    return tuple_(jobs.c.id, jobs.c.claims).in_(fences) & (jobs.c.status == JobStatus.IN_PROGRESS)


def _answered(answer: Answer) -> dict[str, Any]:
    return {"result": answer.result, "model": answer.model, **asdict(answer.usage)}


def of_claim(job: Job, *statuses: JobStatus) -> ColumnElement[bool]:
    """Return the condition that every write of a claim is fenced by."""
    return (jobs.c.id == job.id) & (jobs.c.claims == job.claims) & jobs.c.status.in_(statuses)
