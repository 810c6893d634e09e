"""What is used of limits: live jobs, and what is spent and reserved of budgets in the day and the month that run."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, text

from api.limits.live_jobs import live_jobs
from api.limits.periods import period_ends
from shared.db.engine import Database
from shared.domain.limits import PERIODS, UNITS, Limits
from shared.jobs.ledger import OF_ALL_KEYS
from shared.times import now, rfc3339

_BUDGETS = text("""
    SELECT period, tokens_spent, tokens_reserved, dollars_spent, dollars_reserved FROM budgets
    WHERE tenant = :tenant AND key_id = :key_id
        AND starts = date_trunc(period, now() AT TIME ZONE 'UTC')::date
""")

Usage = Mapping[str, Any]


class UsageReader:
    """Reads what is used. Every method raises DatabaseUnavailable when PostgreSQL is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, tenant: str, key_id: str = OF_ALL_KEYS, limits: Limits | None = None) -> Usage:
        """Return what a key, or all keys of a tenant, use of each limit but that of requests, ready for JSON.

        No budget is counted for a key without one, unless its tenant has one. `remaining` is null without a limit.
        """
        owner = {"tenant": tenant, "key_id": key_id}
        with self._database.begin() as connection:
            rows = {row.period: row for row in connection.execute(_BUDGETS, owner)}
            live = live_jobs(connection, **owner)
        budgets = {
            f"{unit}_per_{period}": _budget(unit, rows.get(period), period, limits)
            for unit in UNITS
            for period in PERIODS
        }
        return {**live, **budgets}


def _budget(unit: str, row: Row[Any] | None, period: str, limits: Limits | None) -> Mapping[str, Any]:
    nothing = 0 if unit == "tokens" else Decimal(0)
    spent, reserved = (getattr(row, f"{unit}_{part}", nothing) for part in ("spent", "reserved"))
    limit = None if limits is None else limits.budget(unit, period)
    return {
        "spent": _number(spent),
        "reserved": _number(reserved),
        "remaining": None if limit is None else _number(max(0, limit - spent - reserved)),
        "resets_at": rfc3339(period_ends(period, now())),
    }


def _number(amount: int | Decimal) -> int | float:
    return float(amount) if isinstance(amount, Decimal) else amount
