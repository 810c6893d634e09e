"""A worker's writes to jobs. It claims a job once, and that claim fences every later write."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, func, select, tuple_

from shared.db.engine import Database
from shared.db.group_commit import GroupCommit
from shared.db.tables import REQUEST_AT_END, jobs
from shared.domain.answer import Answer
from shared.domain.estimates import Estimate
from shared.domain.prices import Prices
from shared.domain.routes import Route
from shared.errors import AskOnceError
from shared.jobs.job import Job, JobFailure, JobStatus
from shared.jobs.ledger import settle
from shared.jobs.transitions import (
    COMPLETE_STALE,
    FAIL,
    RENEW,
    REQUEUE,
    REQUEUE_UNCOUNTED,
    Transition,
)
from shared.times import moment_of, new_id, now
from workers.jobs import group_writes
from workers.jobs import provider_calls as call_records
from workers.jobs.claiming import Claimer, Claiming
from workers.jobs.fences import of_claim
from workers.jobs.group_writes import Completing, Write, answered
from workers.jobs.outage_retry import OutageRetry, retried_while_unavailable
from workers.jobs.provider_calls import Beginning, ProviderCall

TRUSTED = timedelta(seconds=0.5)
"""For how long after a claim its call may be made without looking whether the claim still holds."""


class Claims:
    """A worker's writes to the table `jobs`.

    All methods but `renew`, `still_hold` and `withdraw_call` retry while PostgreSQL is away, for as long as
    `outage_retry` says. Then they raise DatabaseUnavailable. A write whose commit was not confirmed is tried again too,
    so each write checks whether it has been done already.
    """

    def __init__(self, database: Database, lease_seconds: float, prices: Prices, outage_retry: OutageRetry) -> None:
        """`lease_seconds`: how long a claim holds unless it is renewed. `prices`: for the cost of provider calls."""
        self._database = database
        self.outage_retry = outage_retry
        self._prices = prices
        self._lease = timedelta(seconds=lease_seconds)
        self._claimer = Claimer(self._lease)
        self._group: GroupCommit[Write, Any] = GroupCommit(self._write_group)

    def claim(self, job_id: UUID) -> Job | None:
        """Claim a job for a message that names this one, and return it; None if there is none to claim.

        It is another one of the same queue if the named one is not queued and due, as when a message came twice, or if
        several clients have jobs queued and it is not this one's turn (`workers/jobs/claiming.py`).
        """
        return self._claim(job_id, new_id())

    @retried_while_unavailable
    def _claim(self, job_id: UUID, claim_id: UUID) -> Job | None:
        job: Job | None = self._group.commit(Claiming(job_id, claim_id))
        return job

    def renew(self, held: Iterable[Job]) -> None:
        """Extend the leases of those of these claims that still hold; raise DatabaseUnavailable."""
        fences = _fences(held)
        if not fences:
            return
        with self._database.begin() as connection:
            connection.execute(RENEW.update(lease_until=func.now() + self._lease).where(_any_of(fences)))

    def still_hold(self, held: Iterable[Job]) -> set[tuple[UUID, int]]:
        """Return job id and fence of each of these claims that still holds; raise DatabaseUnavailable."""
        fences = _fences(held)
        if not fences:
            return set()
        holding = select(jobs.c.id, jobs.c.claims).where(jobs.c.status == JobStatus.IN_PROGRESS, _any_of(fences))
        with self._database.begin() as connection:
            return {(row.id, row.claims) for row in connection.execute(holding)}

    def begin_call(self, job: Job, route: Route, estimate: Estimate | None = None) -> UUID | None:
        """Record a provider call before it is made, and return its id; None if the claim no longer holds.

        The call that was recorded with the claim is returned at once, unless that is half a second ago or longer.
        `estimate`: what it may cost at most, if budgets pay it. Raises JobBudgetExhausted if they can't.
        """
        begun = job.begun_call if route == job.route else None
        if begun is not None and now() - moment_of(begun) < TRUSTED:
            return begun
        call_id = begun or new_id()
        return call_id if self._begin_call(Beginning(call_id, job, route, estimate)) else None

    @retried_while_unavailable
    def _begin_call(self, beginning: Beginning) -> bool:
        begun: bool = self._group.commit(beginning)
        return begun

    def withdraw_call(self, call_id: UUID) -> None:
        """Delete the record of a call that was not made; raise DatabaseUnavailable."""
        self._database.run(call_records.WITHDRAW, {"call_id": call_id})

    @retried_while_unavailable
    def end_open_calls(self, job: Job, error: AskOnceError) -> None:
        """Record calls of this attempt that have no end as failed with `error`; nobody knows how they ended."""
        with self._settling(job) as connection:
            call_records.end_open(connection, job, error.code)

    @retried_while_unavailable
    def end_call(self, job: Job, call: ProviderCall) -> None:
        """Record the end of a call whose job goes on."""
        with self._settling(job) as connection:
            call_records.end(connection, call, self._prices)

    @retried_while_unavailable
    def complete(self, job: Job, answer: Answer, call: ProviderCall | None) -> bool:
        """Commit the answer and the end of the call that made it; return False if the claim no longer holds.

        A claim whose lease has expired holds until another worker claims the job. A job that was cancelled meanwhile
        stays cancelled, but gets the result, because hits on the cached answer refer to it.
        """
        completed: bool = self._group.commit(Completing(job, answer, call))
        return completed

    @retried_while_unavailable
    def complete_stale(self, job: Job, answer: Answer, call: ProviderCall | None) -> bool:
        """Commit a stale answer, and the end of the failed call.

        Returns False if the claim no longer holds, or if a client who forbids stale answers has joined meanwhile.
        """
        ended = {"completed_at": func.now(), "request": REQUEST_AT_END, "stale": True}
        with self._ending(job, call) as connection:
            return _done(connection, job, COMPLETE_STALE, ended | answered(answer), jobs.c.refresh.is_(False))

    @retried_while_unavailable
    def fail(self, job: Job, error: AskOnceError, call: ProviderCall | None) -> bool:
        """Commit why the job failed; return False if the claim no longer holds."""
        failure = asdict(JobFailure.of(error))
        ended = {"completed_at": func.now(), "request": REQUEST_AT_END, "error": failure}
        with self._ending(job, call) as connection:
            return _done(connection, job, FAIL, ended)

    @retried_while_unavailable
    def requeue(self, job: Job, delay: float, call: ProviderCall | None = None, *, counted: bool) -> bool:
        """Queue the job again, due in `delay` seconds; return False if the claim no longer holds.

        `counted`: False for a job that only had to wait. Its attempt is not counted, and it becomes due on the next
        whole second, so that waiting jobs are published together, in the order in which they were accepted.
        """
        due = func.now() + timedelta(seconds=delay)
        with self._ending(job, call) as connection:
            if counted:
                return _done(connection, job, REQUEUE, _due(due))
            due = func.date_trunc("second", due) + timedelta(seconds=1)
            # `publishes` lengthens the pause before a message counts as lost. None was lost here.
            taken_back = {"attempts": jobs.c.attempts - 1, "publishes": 0}
            return _done(connection, job, REQUEUE_UNCOUNTED, _due(due) | taken_back)

    def _write_group(self, writes: Sequence[Write]) -> list[Any]:
        """Make the writes of several threads in one transaction, or in one statement; return the result of each."""
        is_one = group_writes.are_one_statement(writes)
        with self._database.autocommit() if is_one else self._database.begin() as connection:
            return group_writes.write(connection, writes, self._claimer, self._prices)

    @contextmanager
    def _ending(self, job: Job, call: ProviderCall | None) -> Iterator[Connection]:
        """Open a transaction, and record the end of the attempt's call in it."""
        with self._settling(job) as connection:
            if call is not None:
                call_records.end(connection, call, self._prices)
            yield connection

    @contextmanager
    def _settling(self, job: Job) -> Iterator[Connection]:
        """Open a transaction that ends calls of a job, or the job; at its end budgets learn what they have cost."""
        with self._database.begin() as connection:
            yield connection
            if job.budgeted:
                settle(connection, [job.id])


def _done(
    connection: Connection, job: Job, transition: Transition, values: dict[str, Any], *where: ColumnElement[bool]
) -> bool:
    """Make the transition; return whether this claim has made it, now or in a commit that was not confirmed."""
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
