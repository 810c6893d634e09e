"""The tables `budgets` and `reservations`: what is reserved for calls to providers, and what they have cost.

Every function uses its caller's transaction. Budgets are locked in one order, and after the rows of jobs and calls, so
that nobody waits for each other.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BindParameter, Connection, Row, bindparam, select, text, update

from shared.db.budget_tables import reservations
from shared.domain.estimates import Estimate
from shared.domain.limits import PERIODS, UNITS, Limits
from shared.jobs.errors import JobBudgetExhausted

OF_ALL_KEYS = ""
"""Stands for a key in the budgets that all keys of a tenant share."""


class Account(NamedTuple):
    """Whose budget it is, and of which period."""

    tenant: str
    key_id: str
    period: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new job's first call may take, and from whose budgets."""

    job_id: UUID
    tenant: str
    key_id: str
    estimate: Estimate
    key_limits: Limits
    tenant_limits: Limits

    def accounts(self) -> Mapping[Account, Limits]:
        """Return the budgets that it is taken from: also those without a limit, so that all are settled alike."""
        owners = ((OF_ALL_KEYS, self.tenant_limits), (self.key_id, self.key_limits))
        return {Account(self.tenant, key, period): limits for key, limits in owners for period in PERIODS}


@dataclass(frozen=True, slots=True)
class Payment:
    """A call that begins, and what it may cost at most."""

    call_id: UUID
    job_id: UUID
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Balance:
    """What is spent and reserved of a budget, together; and what of that is spent."""

    tokens: int
    dollars: Decimal
    tokens_spent: int
    dollars_spent: Decimal


_TODAY = "(now() AT TIME ZONE 'UTC')::date"

_RESERVE = text(f"""
    WITH kept AS (
        INSERT INTO reservations (id, job_id, tenant, key_id, day, tokens, dollars)
        SELECT job_id, job_id, tenant, key_id, {_TODAY}, tokens, dollars
        FROM jsonb_to_recordset(CAST(:jobs AS jsonb))
            AS wanted (job_id uuid, tenant text, key_id text, tokens bigint, dollars numeric)
    )
    INSERT INTO budgets AS mine
        (tenant, key_id, period, starts, tokens_limit, dollars_limit, tokens_reserved, dollars_reserved)
    SELECT tenant, key_id, period, date_trunc(period, now() AT TIME ZONE 'UTC')::date,
        tokens_limit, dollars_limit, tokens, dollars
    FROM jsonb_to_recordset(CAST(:accounts AS jsonb)) AS wanted (
        tenant text, key_id text, period text, tokens_limit bigint, dollars_limit numeric,
        tokens bigint, dollars numeric)
    ORDER BY tenant COLLATE "C", key_id COLLATE "C", period
    ON CONFLICT (tenant, key_id, period, starts) DO UPDATE SET
        tokens_limit = excluded.tokens_limit,
        dollars_limit = excluded.dollars_limit,
        tokens_reserved = mine.tokens_reserved + excluded.tokens_reserved,
        dollars_reserved = mine.dollars_reserved + excluded.dollars_reserved
    RETURNING tenant, key_id, period,
        tokens_reserved + tokens_spent AS tokens, dollars_reserved + dollars_spent AS dollars,
        tokens_spent, dollars_spent
""")  # noqa: S608  a constant

_CALL_ID: BindParameter[UUID] = bindparam("call")
_PAY_WITH_RESERVED = (
    update(reservations)
    .where(reservations.c.job_id == bindparam("job"), reservations.c.call_id.is_(None))
    .values(call_id=_CALL_ID)
    .returning(reservations.c.id)
)
_IS_PAID = select(reservations.c.id).where(reservations.c.call_id == _CALL_ID)

# All calls of a job count to the day on which it was accepted: whoever runs it does not know the limits of another.
_BUDGETS_OF_JOB = """
    budgets.tenant = jobs.tenant AND budgets.key_id IN ('', jobs.key_id)
        AND budgets.starts = date_trunc(budgets.period, jobs.created_at AT TIME ZONE 'UTC')::date
"""
_IN_ORDER = 'budgets.tenant COLLATE "C", budgets.key_id COLLATE "C", budgets.period, budgets.starts'
_LOCK = text(f"""
    SELECT budgets.starts FROM budgets JOIN jobs ON {_BUDGETS_OF_JOB}
    WHERE jobs.id = ANY(CAST(:job_ids AS uuid[])) ORDER BY {_IN_ORDER} FOR UPDATE OF budgets
""")  # noqa: S608  a constant
_OF_JOB = text(f"""
    SELECT tokens_reserved + tokens_spent AS tokens, tokens_limit,
        dollars_reserved + dollars_spent AS dollars, dollars_limit
    FROM budgets JOIN jobs ON {_BUDGETS_OF_JOB} WHERE jobs.id = :job_id
""")  # noqa: S608  a constant
_RESERVE_AGAIN = text(f"""
    WITH kept AS (
        INSERT INTO reservations (id, job_id, call_id, tenant, key_id, day, tokens, dollars)
        SELECT :call_id, id, :call_id, tenant, key_id, (created_at AT TIME ZONE 'UTC')::date, :tokens, :dollars
        FROM jobs WHERE id = :job_id
    )
    UPDATE budgets SET tokens_reserved = tokens_reserved + :tokens, dollars_reserved = dollars_reserved + :dollars
    FROM jobs WHERE {_BUDGETS_OF_JOB} AND jobs.id = :job_id
""")  # noqa: S608  a constant

# A call whose cost nobody knows, such as one that lost its worker, has cost what was reserved.
_SETTLE = text(f"""
    WITH ended AS (
        DELETE FROM reservations USING jobs
        WHERE reservations.job_id = ANY(CAST(:job_ids AS uuid[])) AND jobs.id = reservations.job_id
            AND CASE WHEN call_id IS NULL THEN jobs.status NOT IN ('queued', 'in_progress')
                ELSE EXISTS (SELECT FROM provider_calls WHERE id = call_id AND outcome <> 'started') END
        RETURNING reservations.*
    ), costs AS (
        SELECT ended.tenant, ended.key_id, ended.day, ended.tokens, ended.dollars,
            CASE WHEN call_id IS NULL THEN 0
                ELSE coalesce(total_tokens, CASE WHEN cost = 0 THEN 0 ELSE ended.tokens END) END AS tokens_spent,
            CASE WHEN call_id IS NULL THEN 0 ELSE coalesce(cost, ended.dollars) END AS dollars_spent
        FROM ended LEFT JOIN provider_calls ON provider_calls.id = call_id
    ), sums AS (
        SELECT costs.tenant, owner AS key_id, period, date_trunc(period, costs.day)::date AS starts,
            sum(tokens) AS tokens, sum(dollars) AS dollars,
            sum(tokens_spent) AS tokens_spent, sum(dollars_spent) AS dollars_spent
        FROM costs CROSS JOIN LATERAL (VALUES ('', 'day'), ('', 'month'), (key_id, 'day'), (key_id, 'month'))
            AS accounts (owner, period)
        GROUP BY 1, 2, 3, 4
    ), locked AS MATERIALIZED (
        SELECT sums.* FROM sums JOIN budgets USING (tenant, key_id, period, starts)
        ORDER BY {_IN_ORDER} FOR UPDATE OF budgets
    )
    UPDATE budgets SET
        tokens_reserved = tokens_reserved - locked.tokens,
        dollars_reserved = dollars_reserved - locked.dollars,
        tokens_spent = budgets.tokens_spent + locked.tokens_spent,
        dollars_spent = budgets.dollars_spent + locked.dollars_spent
    FROM locked
    WHERE budgets.tenant = locked.tenant AND budgets.key_id = locked.key_id
        AND budgets.period = locked.period AND budgets.starts = locked.starts
""")  # noqa: S608  a constant


def reserve(connection: Connection, wanted: Sequence[Wanted]) -> Mapping[Account, Balance]:
    """Reserve what new jobs may take; return what is spent and reserved of their budgets then.

    Whether that is too much is for the caller to judge, who rolls back then.
    """
    sums: dict[Account, dict[str, Any]] = {}
    for each in wanted:
        for account, limits in each.accounts().items():
            row = sums.setdefault(account, {**account._asdict(), **_limits(limits, account.period)})
            row["tokens"] = row.get("tokens", 0) + each.estimate.tokens
            row["dollars"] = row.get("dollars", Decimal(0)) + (each.estimate.dollars or 0)
    rows = connection.execute(_RESERVE, {"jobs": _json(map(_job_row, wanted)), "accounts": _json(sums.values())})
    return {Account(row.tenant, row.key_id, row.period): _balance(row) for row in rows}


def settle_and_pay(connection: Connection, ended: Collection[UUID], payments: Sequence[Payment]) -> None:
    """Settle these jobs; then let what is reserved pay for calls that begin. Doing it twice is safe.

    A job's first call is paid with what was reserved when it was accepted; each later one needs as much again. Raises
    JobBudgetExhausted if budgets have no room for that.
    """
    lacking = [each for each in payments if not _pays_with_reserved(connection, each)]
    if lacking:
        connection.execute(_LOCK, {"job_ids": _texts([*ended, *(each.job_id for each in lacking)])})
    settle(connection, ended)
    for each in lacking:
        _reserve_again(connection, each)


def settle(connection: Connection, job_ids: Collection[UUID]) -> None:
    """Put what calls of these jobs have cost in place of what was reserved for them, once they have ended.

    What was reserved for a job that ended without a call is given back. Doing it twice is safe.
    """
    if job_ids:
        connection.execute(_SETTLE, {"job_ids": _texts(job_ids)})


def _pays_with_reserved(connection: Connection, payment: Payment) -> bool:
    names = {"job": payment.job_id, "call": payment.call_id}
    return any(connection.execute(statement, names).first() for statement in (_PAY_WITH_RESERVED, _IS_PAID))


def _reserve_again(connection: Connection, payment: Payment) -> None:
    taken = {"tokens": payment.estimate.tokens, "dollars": payment.estimate.dollars or Decimal(0)}
    for row in connection.execute(_OF_JOB, {"job_id": payment.job_id}):
        if any(_is_over(getattr(row, unit) + amount, getattr(row, f"{unit}_limit")) for unit, amount in taken.items()):
            raise JobBudgetExhausted
    connection.execute(_RESERVE_AGAIN, {"job_id": payment.job_id, "call_id": payment.call_id, **taken})


def _texts(ids: Iterable[UUID]) -> list[str]:
    return [str(each) for each in ids]


def _balance(row: Row[Any]) -> Balance:
    return Balance(row.tokens, row.dollars, row.tokens_spent, row.dollars_spent)


def _job_row(wanted: Wanted) -> dict[str, Any]:
    taken = {"tokens": wanted.estimate.tokens, "dollars": wanted.estimate.dollars or Decimal(0)}
    return {"job_id": wanted.job_id, "tenant": wanted.tenant, "key_id": wanted.key_id, **taken}


def _limits(limits: Limits, period: str) -> dict[str, Any]:
    return {f"{unit}_limit": limits.budget(unit, period) for unit in UNITS}


def _is_over(amount: int | Decimal, limit: int | Decimal | None) -> bool:
    return limit is not None and amount > limit


def _json(rows: Iterable[Mapping[str, Any]]) -> str:
    return json.dumps(list(rows), default=str)
