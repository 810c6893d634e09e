"""How audits of hits have ended since the first one, of all tenants together."""

from dataclasses import dataclass

from sqlalchemy import func, select

from shared.db.audit_tables import daily_drift
from shared.db.engine import Database

_CLASS = (daily_drift.c.task_type, daily_drift.c.age, daily_drift.c.verdict)
_READ = select(
    *_CLASS, func.sum(daily_drift.c.audits).label("audits"), func.sum(daily_drift.c.dollars).label("dollars")
)


@dataclass(frozen=True, slots=True)
class EndedAudits:
    """Audits of one task type, class of ages and verdict: how many, and what they have cost at most.

    `age`: the seconds at which the class begins.
    """

    task_type: str
    age: int
    verdict: str
    audits: int
    dollars: float


def read_audits(database: Database) -> tuple[EndedAudits, ...]:
    """Return all that have ended; raise DatabaseUnavailable."""
    rows = database.run(_READ.group_by(*_CLASS).order_by(*_CLASS))
    return tuple(EndedAudits(row.task_type, row.age, row.verdict, int(row.audits), float(row.dollars)) for row in rows)
