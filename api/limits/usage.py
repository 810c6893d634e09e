"""What is spent and reserved of budgets in the day and the month that run."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import text

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

Usage = Mapping[str, Mapping[str, Any]]


class BudgetReader:
    """Reads the table `budgets`. Every method raises DatabaseUnavailable when PostgreSQL is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def usage(self, tenant: str, key_id: str = OF_ALL_KEYS, limits: Limits | None = None) -> Usage:
        """Return by budget what a key, or all keys of a tenant, have spent and reserved, ready for JSON.

        Nothing is counted for a key without a budget, unless its tenant has one. `remaining` is null without a limit.
        """
        rows = {row.period: row for row in self._database.run(_BUDGETS, {"tenant": tenant, "key_id": key_id})}
        found, moment = {}, now()
        for unit in UNITS:
            for period in PERIODS:
                spent, reserved = (
                    getattr(rows.get(period), f"{unit}_{part}", 0 if unit == "tokens" else Decimal(0))
                    for part in ("spent", "reserved")
                )
                limit = None if limits is None else limits.budget(unit, period)
                found[f"{unit}_per_{period}"] = {
                    "spent": _number(spent),
                    "reserved": _number(reserved),
                    "remaining": None if limit is None else _number(max(0, limit - spent - reserved)),
                    "resets_at": rfc3339(period_ends(period, moment)),
                }
        return found


def _number(amount: int | Decimal) -> int | float:
    return float(amount) if isinstance(amount, Decimal) else amount
