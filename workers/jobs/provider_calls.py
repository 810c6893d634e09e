"""The table `provider_calls`: a call to a provider is recorded before it is made, and again when it has ended.

Every function uses its caller's transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    Connection,
    Integer,
    Numeric,
    Row,
    Text,
    Update,
    Uuid,
    any_,
    bindparam,
    column,
    delete,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from shared.db.tables import UtcDateTime, jobs, provider_calls
from shared.domain.answer import Answer, Usage
from shared.domain.estimates import Estimate
from shared.domain.prices import Prices
from shared.domain.routes import Route
from shared.domain.task_type import Queue
from shared.jobs.job import Job, JobStatus

STARTED, COMPLETED, FAILED = "started", "completed", "failed"

ASKS_AT_ONCE: Queue = "text"
"""The queue whose jobs ask as soon as they are claimed. Those of the other one look at a picture first, or for it."""

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


@dataclass(frozen=True, slots=True)
class Beginning:
    """A call that is about to be made for a claimed job. `estimate`: what it may cost at most, if budgets pay it."""

    call_id: UUID
    job: Job
    route: Route
    estimate: Estimate | None = None


def usage_columns() -> list[ColumnClause[int]]:
    """Return columns for the counts of a usage."""
    return [column(count.name, Integer) for count in fields(Usage)]


_ids = bindparam("call_ids", type_=ARRAY(Uuid))

_beginning = (
    func.unnest(
        _ids,
        bindparam("job_ids", type_=ARRAY(Uuid)),
        bindparam("claims", type_=ARRAY(Integer)),
        bindparam("providers", type_=ARRAY(Text)),
        bindparam("models", type_=ARRAY(Text)),
    )
    .table_valued(
        column("call_id", Uuid),
        column("job_id", Uuid),
        column("claims", Integer),
        column("provider", Text),
        column("model", Text),
    )
    .render_derived("beginning")
)
_MAY_BEGIN = (
    (jobs.c.id == _beginning.c.job_id)
    & (jobs.c.claims == _beginning.c.claims)
    & (jobs.c.status == JobStatus.IN_PROGRESS)
    & or_(
        (jobs.c.provider == _beginning.c.provider) & (jobs.c.model == _beginning.c.model),
        jobs.c.fallbacks.contains(
            func.jsonb_build_array(
                func.jsonb_build_object("provider", _beginning.c.provider, "model", _beginning.c.model)
            )
        ),
    )
)
_BEGUN = {
    "id": _beginning.c.call_id,
    "job_id": jobs.c.id,
    "tenant": jobs.c.tenant,
    "attempt": jobs.c.attempts,
    "task_type": jobs.c.task_type,
    "provider": _beginning.c.provider,
    "model": _beginning.c.model,
    "outcome": literal(STARTED),
    "started_at": func.clock_timestamp(),
}
_BEGIN = (
    insert(provider_calls)
    .from_select(list(_BEGUN), select(*_BEGUN.values()).where(_MAY_BEGIN))
    .on_conflict_do_nothing()
    .returning(provider_calls.c.id)
)
BEGIN_WITH_CLAIM = f"""
    INSERT INTO provider_calls (id, job_id, tenant, attempt, task_type, provider, model, outcome, started_at)
    SELECT claim_id, id, tenant, attempts, task_type, provider, model, '{STARTED}', clock_timestamp() FROM claimed
    WHERE NOT budgeted AND queue = '{ASKS_AT_ONCE}'
"""  # noqa: S608  built of constants
"""Records the calls that jobs make as soon as they are claimed, under the ids of their claims. Of rows `claimed`."""

WITHDRAW = delete(provider_calls).where(provider_calls.c.id == bindparam("call_id"))
"""Deletes the record of a call that was not made."""

_HOLDS = select(jobs.c.id).where(_MAY_BEGIN)

_ended = (
    func.jsonb_to_recordset(bindparam("calls", type_=JSONB))
    .table_valued(
        column("id", Uuid),
        column("outcome", Text),
        column("error_code", Text),
        column("ended_at", UtcDateTime),
        column("cost", Numeric),
        *usage_columns(),
    )
    .render_derived("ended", with_types=True)
)
END = (
    update(provider_calls)
    .where(provider_calls.c.id == any_(_ids), provider_calls.c.id == _ended.c.id, provider_calls.c.outcome == STARTED)
    .values({each.name: each for each in _ended.c if each.name != "id"})
)
"""Records how calls ended, also those of jobs that another worker has by now: they were paid all the same."""


def begin(connection: Connection, beginnings: Sequence[Beginning]) -> list[bool]:
    """Record that providers will be asked; return of each call whether it may be made. Doing it twice is safe.

    It may not be made if the job's claim no longer holds; nor may one to a fallback that a client who has joined the
    job does not allow.
    """
    begun = set(connection.execute(_BEGIN, _arrays(beginnings)).scalars())
    return [each.call_id in begun or _stands(connection, each) for each in beginnings]


def begun_with_claim(claimed: Row[Any]) -> UUID | None:
    """Return the id of the call that was recorded when this row of `jobs` was claimed; None if there is none."""
    begun: UUID | None = claimed.claim_id if claimed.queue == ASKS_AT_ONCE and not claimed.budgeted else None
    return begun


def _arrays(beginnings: Sequence[Beginning]) -> dict[str, list[Any]]:
    return {
        "call_ids": [each.call_id for each in beginnings],
        "job_ids": [each.job.id for each in beginnings],
        "claims": [each.job.claims for each in beginnings],
        "providers": [each.route.provider for each in beginnings],
        "models": [each.route.model for each in beginnings],
    }


def _stands(connection: Connection, beginning: Beginning) -> bool:
    """Return whether the call is recorded and may be made; delete the record of a call that may not be made."""
    recorded = provider_calls.c.id == beginning.call_id
    if connection.execute(_HOLDS, _arrays([beginning])).first() is None:
        connection.execute(delete(provider_calls).where(recorded))
        return False
    return connection.execute(select(provider_calls.c.id).where(recorded)).first() is not None


def end_open(connection: Connection, job: Job, error_code: str) -> None:
    """Record calls of this attempt that have no end as failed; their cost is not known."""
    of_attempt = (provider_calls.c.job_id == job.id) & (provider_calls.c.attempt == job.attempts)
    values = {"outcome": FAILED, "error_code": error_code, "ended_at": func.clock_timestamp()}
    connection.execute(_started(of_attempt).values(values))


def end(connection: Connection, call: ProviderCall, prices: Prices) -> None:
    """Record how a call ended, whoever has its job by now."""
    connection.execute(END, end_parameters([call], prices))


def end_parameters(calls: Sequence[ProviderCall], prices: Prices) -> dict[str, Any]:
    """Return the parameters of END."""
    return {"call_ids": [call.id for call in calls], "calls": [_document(call, prices) for call in calls]}


def _document(call: ProviderCall, prices: Prices) -> dict[str, Any]:
    cost = cost_of(call, prices)
    return {
        "id": str(call.id),
        "outcome": COMPLETED if call.error_code is None else FAILED,
        "error_code": call.error_code,
        "ended_at": call.ended_at.isoformat(),
        "cost": None if cost is None else str(cost),
        **call.usage.counts(),
    }


def settle_from_cache(connection: Connection, answer: Answer, prices: Prices) -> None:
    """Record the end of the call that made a cached answer, if the table has no end of it."""
    made_it = (provider_calls.c.job_id == answer.job_id) & (provider_calls.c.attempt == answer.attempts)
    values = {
        "outcome": COMPLETED,
        "ended_at": answer.completed_at,
        "cost": prices.cost(answer.provider, answer.model, answer.usage),
    }
    connection.execute(_started(made_it).values(**values, **answer.usage.counts()))


def cost_of(call: ProviderCall, prices: Prices) -> Decimal | None:
    """Return what a call has cost, in US dollars; None where that is not known."""
    if call.error_code in FREE:
        return Decimal(0)
    # Whether a failure is billed is not known, unless its tokens were counted; also where a call has a price.
    if call.error_code is not None and call.usage == Usage():
        return None
    return prices.cost(call.provider, call.model, call.usage)


def _started(which: ColumnElement[bool]) -> Update:
    return update(provider_calls).where(which, provider_calls.c.outcome == STARTED)
