"""Jobs as a worker needs them: claimed once, and every later write fenced by that claim."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, func, select, tuple_

from shared.db.engine import Database
from shared.db.tables import REQUEST_AT_END, jobs
from shared.domain.answer import Answer
from shared.domain.prices import Prices
from shared.errors import AskOnceError
from shared.jobs.job import Job, JobFailure, JobStatus, job_from_row
from shared.jobs.transitions import (
    CLAIM,
    COMPLETE,
    COMPLETE_STALE,
    FAIL,
    KEEP_ANSWER,
    RENEW,
    REQUEUE,
    REQUEUE_UNCOUNTED,
    Transition,
)
from shared.times import new_id
from workers.jobs import provider_calls as call_records
from workers.jobs.outage_retry import OutageRetry, retried_while_unavailable
from workers.jobs.provider_calls import ProviderCall


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
        claiming = CLAIM.update(
            attempts=jobs.c.attempts + 1,
            claims=jobs.c.claims + 1,
            claim_id=claim_id,
            lease_until=func.now() + self._lease,
            started_at=func.coalesce(jobs.c.started_at, func.now()),
        )
        taking = claiming.where(jobs.c.id == job_id, jobs.c.not_before <= func.now()).returning(jobs)
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
            connection.execute(RENEW.update(lease_until=func.now() + self._lease).where(_any_of(fences)))

    def still_hold(self, held: Iterable[Job]) -> set[tuple[UUID, int]]:
        """Return the ids and fences of those of these claims that still hold."""
        fences = _fences(held)
        if not fences:
            return set()
        holding = select(jobs.c.id, jobs.c.claims).where(jobs.c.status == JobStatus.IN_PROGRESS, _any_of(fences))
        with self._database.begin() as connection:
            return {(row.id, row.claims) for row in connection.execute(holding)}

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
        ended = {"completed_at": completed_at, "request": REQUEST_AT_END}
        with self._ending(call) as connection:
            completed = _done(connection, job, COMPLETE, ended | answered)
            if not completed:
                connection.execute(KEEP_ANSWER.update(**answered).where(of_claim(job)))
            if call is None and answer.job_id == job.id:
                call_records.settle_from_cache(connection, answer, self._prices)
        return completed

    @retried_while_unavailable
    def complete_stale(self, job: Job, answer: Answer, call: ProviderCall | None) -> bool:
        """Commit an old answer, and the call that failed; False when the claim no longer holds.

        Or when a client has joined meanwhile who forbids old answers.
        """
        ended = {"completed_at": func.now(), "request": REQUEST_AT_END, "stale": True}
        with self._ending(call) as connection:
            return _done(connection, job, COMPLETE_STALE, ended | _answered(answer), jobs.c.refresh.is_(False))

    @retried_while_unavailable
    def fail(self, job: Job, error: AskOnceError, call: ProviderCall | None) -> bool:
        """Commit why the job failed; False when the claim no longer holds."""
        failure = JobFailure(error.code, error.title, error.detail, error.retryable)
        ended = {"completed_at": func.now(), "request": REQUEST_AT_END, "error": asdict(failure)}
        with self._ending(call) as connection:
            return _done(connection, job, FAIL, ended)

    @retried_while_unavailable
    def requeue(self, job: Job, delay: float, call: ProviderCall | None = None, *, counted: bool) -> bool:
        """Queue the job again, due in `delay` seconds; False when the claim no longer holds.

        `counted` is False for a job that only had to wait: it takes its attempt back, and becomes due on the next whole
        second, so that waiting jobs are published together, in the order in which they were accepted.
        """
        due = func.now() + timedelta(seconds=delay)
        with self._ending(call) as connection:
            if counted:
                return _done(connection, job, REQUEUE, _due(due))
            due = func.date_trunc("second", due) + timedelta(seconds=1)
            # Its message was not lost, however often this job has waited.
            taken_back = {"attempts": jobs.c.attempts - 1, "publishes": 0}
            return _done(connection, job, REQUEUE_UNCOUNTED, _due(due) | taken_back)

    @contextmanager
    def _ending(self, call: ProviderCall | None) -> Iterator[Connection]:
        """Open a transaction, and put the end of the attempt's call on record in it."""
        with self._database.begin() as connection:
            if call is not None:
                call_records.end(connection, call, self._prices)
            yield connection


def of_claim(job: Job) -> ColumnElement[bool]:
    """Return the condition that fences every write of a claim."""
    return (jobs.c.id == job.id) & (jobs.c.claims == job.claims)


def _done(
    connection: Connection, job: Job, transition: Transition, values: dict[str, Any], *where: ColumnElement[bool]
) -> bool:
    """Tell whether this claim has made the transition, now or in a commit that was not confirmed."""
    if connection.execute(transition.update(**values).where(of_claim(job), *where)).rowcount == 1:
        return True
    same = select(jobs.c.id).where(of_claim(job), jobs.c.status == transition.target)
    return connection.execute(same).first() is not None


def _fences(held: Iterable[Job]) -> list[tuple[UUID, int]]:
    return [(job.id, job.claims) for job in held]


def _due(at: ColumnElement[datetime]) -> dict[str, Any]:
    return {"not_before": at, "publish_at": at}


def _any_of(fences: list[tuple[UUID, int]]) -> ColumnElement[bool]:
    return tuple_(jobs.c.id, jobs.c.claims).in_(fences)


def _answered(answer: Answer) -> dict[str, Any]:
    return {"result": answer.result, "model": answer.model, **asdict(answer.usage)}
