"""The three writes that every job needs, each as one statement for many jobs: claim it, begin its call, complete it.

The statements are built once, of the transitions in `shared/jobs/transitions.py`. Jobs that a statement leaves out are
looked at again; these are few, such as jobs whose message came twice.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Integer, Text, Uuid, any_, bindparam, column, func, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.db.prepared import BY_INDEX, prepared
from shared.db.tables import REQUEST_AT_END, UtcDateTime, jobs
from shared.domain.answer import Answer
from shared.domain.prices import Prices
from shared.jobs.job import Job
from shared.jobs.ledger import Payment, settle_and_pay
from shared.jobs.transitions import COMPLETE, KEEP_ANSWER
from workers.jobs import provider_calls as call_records
from workers.jobs.claiming import Claimer, Claiming
from workers.jobs.fences import of_claim
from workers.jobs.provider_calls import Beginning, ProviderCall


@dataclass(frozen=True, slots=True)
class Completing:
    """A job to complete with an answer. `call`: how the call that made it ended; None without one."""

    job: Job
    answer: Answer
    call: ProviderCall | None


Write = Claiming | Beginning | Completing

_JOB_IDS = any_(bindparam("job_ids", type_=ARRAY(Uuid)))

_answered = (
    func.jsonb_to_recordset(bindparam("answers", type_=JSONB))
    .table_valued(
        column("job_id", Uuid),
        column("claims", Integer),
        column("completed_at", UtcDateTime),
        column("result", JSONB),
        column("provider", Text),
        column("model", Text),
        *call_records.usage_columns(),
    )
    .render_derived("answered", with_types=True)
)
_COMPLETE = (
    COMPLETE.update(
        request=REQUEST_AT_END,
        completed_at=func.coalesce(_answered.c.completed_at, func.now()),
        **{name: _answered.c[name] for name in COMPLETE.writes - {"request", "completed_at"}},
    )
    # The ids tell the planner that these are few jobs; the length of a document it does not know.
    .where(jobs.c.id == _JOB_IDS, jobs.c.id == _answered.c.job_id, jobs.c.claims == _answered.c.claims)
    .returning(jobs.c.id, jobs.c.claims)
)
_COMPLETE_AND_END = prepared(_COMPLETE.add_cte(call_records.END.cte("ended_calls")), "complete_jobs", BY_INDEX)


def write(connection: Connection, writes: Sequence[Write], claimer: Claimer, prices: Prices) -> list[Any]:
    """Make these writes; return of each, in order, what the function for its kind returns.

    Raises JobBudgetExhausted if a call can't be paid.
    """
    completing = [each for each in writes if isinstance(each, Completing)]
    claiming = [each for each in writes if isinstance(each, Claiming)]
    beginning = [each for each in writes if isinstance(each, Beginning)]
    results: dict[type[Write], Iterator[Any]] = {
        Completing: iter(complete(connection, completing, prices) if completing else ()),
        Claiming: iter(claimer.claim(connection, claiming) if claiming else ()),
        Beginning: iter(call_records.begin(connection, beginning) if beginning else ()),
    }
    found = [next(results[type(each)]) for each in writes]
    done = [each for each, result in zip(writes, found, strict=True) if result or isinstance(each, Completing)]
    _keep_budgets(connection, done)
    return found


def are_one_statement(writes: Sequence[Write]) -> bool:
    """Return whether one statement makes all these writes, so that it may be a transaction of its own.

    Further statements then only look after jobs that it left out. What these do is lost in a crash between them, as if
    the crash had come before the first.
    """
    return len({type(each) for each in writes}) == 1 and all(map(_is_one_statement, writes))


def _is_one_statement(write: Write) -> bool:
    if isinstance(write, Beginning):
        return write.estimate is None
    if isinstance(write, Completing):
        return write.call is not None and not write.job.budgeted
    return True


def _keep_budgets(connection: Connection, writes: Sequence[Write]) -> None:
    """Let budgets know of calls that have ended, and pay those that begin: last, because others wait for budgets."""
    ended = [each.job.id for each in writes if isinstance(each, Completing) and each.job.budgeted]
    payments = [
        Payment(each.call_id, each.job.id, each.estimate)
        for each in writes
        if isinstance(each, Beginning) and each.estimate is not None
    ]
    if ended or payments:
        settle_and_pay(connection, ended, payments)


def complete(connection: Connection, ended: Sequence[Completing], prices: Prices) -> list[bool]:
    """Complete each of these jobs, and record the ends of their calls; return whether its claim holds.

    A job that was cancelled meanwhile stays cancelled, but gets the result.
    """
    answers = [_document(each) for each in sorted(ended, key=lambda each: each.job.id)]
    parameters = {"answers": answers, "job_ids": [answer["job_id"] for answer in answers]}
    calls = [each.call for each in ended if each.call is not None]
    if calls:
        rows = connection.execute(_COMPLETE_AND_END, parameters | call_records.end_parameters(calls, prices)).all()
    else:
        rows = connection.execute(_COMPLETE, parameters).all()
    completed = {(row.id, row.claims) for row in rows}
    return [_is_completed(connection, each, completed, prices) for each in ended]


def _is_completed(connection: Connection, each: Completing, completed: set[tuple[UUID, int]], prices: Prices) -> bool:
    job, answer = each.job, each.answer
    if each.call is None and answer.job_id == job.id:
        call_records.settle_from_cache(connection, answer, prices)
    if (job.id, job.claims) in completed:
        return True
    same = select(jobs.c.id).where(of_claim(job), jobs.c.status == COMPLETE.target)
    if connection.execute(same).first() is not None:
        return True
    connection.execute(KEEP_ANSWER.update(**answered(answer)).where(of_claim(job)))
    return False


def answered(answer: Answer) -> dict[str, Any]:
    """Return what a job's row takes from its answer, by column."""
    return {"result": answer.result, "provider": answer.provider, "model": answer.model, **answer.usage.counts()}


def _document(each: Completing) -> dict[str, Any]:
    job, answer = each.job, each.answer
    completed_at = answer.completed_at.isoformat() if answer.job_id == job.id else None
    return {"job_id": str(job.id), "claims": job.claims, "completed_at": completed_at, **answered(answer)}
