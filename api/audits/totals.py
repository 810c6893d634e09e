"""How audits have ended since the first one, of all workers and tenants, for metrics."""

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from shared.db.audit_tables import daily_drift
from shared.db.engine import Database

MAX_AGE_SECONDS = 15.0

_CLASS = (daily_drift.c.task_type, daily_drift.c.age, daily_drift.c.verdict)
_TOTALS = select(
    *_CLASS, func.sum(daily_drift.c.audits).label("audits"), func.sum(daily_drift.c.dollars).label("dollars")
).group_by(*_CLASS)


class DriftTotals:
    """A copy of these totals in this process; `rows` have task_type, age, verdict, audits and dollars."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._read_at = float("-inf")
        self.rows: Sequence[Any] = ()

    def refresh_if_old(self) -> None:
        """Read the totals again if the copy is older than MAX_AGE_SECONDS. Raises DatabaseUnavailable."""
        if time.monotonic() - self._read_at > MAX_AGE_SECONDS:
            self.rows = self._database.run(_TOTALS)
            self._read_at = time.monotonic()
