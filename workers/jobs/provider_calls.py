"""The table `provider_calls`: a call to a provider is recorded before it is made, and again when it has ended.

Every function uses its caller's transaction.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Update, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from shared.db.tables import jobs, provider_calls
from shared.domain.answer import Answer, Usage
from shared.domain.prices import Prices
from shared.jobs.job import Job, JobStatus

STARTED, COMPLETED, FAILED = "started", "completed", "failed"

FREE = frozenset(
    {"provider_unauthorized", "provider_payment_required", "model_not_available", "provider_rejected", "rate_limited"}
)
"""Codes of errors for which a provider charges nothing."""


@dataclass(frozen=True, slots=True)
class ProviderCall:
    """How a call ended, whatever happened to its job. `error_code`: None for a usable answer."""

    id: UUID
    provider: str
    model: str
    ended_at: datetime
    error_code: str | None
    usage: Usage


def begin(connection: Connection, job: Job, model: str, call_id: UUID) -> bool:
    """Record that a provider will be asked; return False if it must not be. Recording the same call twice is safe.

    It must not be asked if the job's claim no longer holds; nor may the fallback model, if a client who named the model
    has joined the job.
    """
    holds = (jobs.c.id == job.id) & (jobs.c.claims == job.claims) & (jobs.c.status == JobStatus.IN_PROGRESS)
    if model != job.model:
        holds &= jobs.c.fallback_model == model
    values = {
        "id": literal(call_id),
        "job_id": jobs.c.id,
        "attempt": jobs.c.attempts,
        "task_type": jobs.c.task_type,
        "provider": jobs.c.provider,
        "model": literal(model),
        "outcome": literal(STARTED),
        "started_at": func.clock_timestamp(),
    }
    source = select(*values.values()).where(holds)
    if connection.execute(insert(provider_calls).from_select(list(values), source).on_conflict_do_nothing()).rowcount:
        return True
    return _stands(connection, call_id, holds)


def _stands(connection: Connection, call_id: UUID, holds: ColumnElement[bool]) -> bool:
    """Return whether the call is recorded and may be made; delete the record of a call that may not be made."""
    if connection.execute(select(jobs.c.id).where(holds)).first() is None:
        connection.execute(delete(provider_calls).where(provider_calls.c.id == call_id))
        return False
    return connection.execute(select(provider_calls.c.id).where(provider_calls.c.id == call_id)).first() is not None


def end_open(connection: Connection, job: Job, error_code: str) -> None:
    """Record calls of this attempt that have no end as failed; their cost is not known."""
    of_attempt = (provider_calls.c.job_id == job.id) & (provider_calls.c.attempt == job.attempts)
    values = {"outcome": FAILED, "error_code": error_code, "ended_at": func.clock_timestamp()}
    connection.execute(_started(of_attempt).values(values))


def end(connection: Connection, call: ProviderCall, prices: Prices) -> None:
    """Record how a call ended, even if another worker has the job by now: the call was paid all the same."""
    values = {
        "outcome": COMPLETED if call.error_code is None else FAILED,
        "error_code": call.error_code,
        "ended_at": call.ended_at,
        "cost": _cost(call, prices),
    }
    connection.execute(_started(provider_calls.c.id == call.id).values(**values, **asdict(call.usage)))


def settle_from_cache(connection: Connection, answer: Answer, prices: Prices) -> None:
    """Record the end of the call that made a cached answer, if the table has no end of it."""
    made_it = (provider_calls.c.job_id == answer.job_id) & (provider_calls.c.attempt == answer.attempts)
    values = {
        "outcome": COMPLETED,
        "ended_at": answer.completed_at,
        "cost": prices.cost(answer.provider, answer.model, answer.usage),
    }
    connection.execute(_started(made_it).values(**values, **asdict(answer.usage)))


def _cost(call: ProviderCall, prices: Prices) -> Decimal | None:
    if call.error_code in FREE:
        return Decimal(0)
    # Whether a failure is billed is not known, unless its tokens were counted; also where a call has a price.
    if call.error_code is not None and call.usage == Usage():
        return None
    return prices.cost(call.provider, call.model, call.usage)


def _started(which: ColumnElement[bool]) -> Update:
    return update(provider_calls).where(which, provider_calls.c.outcome == STARTED)
