"""The table `purges`: since when the answers of a task type are wanted no more."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from shared.cache.purge_marks import PurgeTimes
from shared.db.engine import Database
from shared.db.tables import purges


@dataclass(frozen=True, slots=True)
class Purge:
    """One purge: answers of jobs that started at this time or before are void."""

    namespace: str
    task_type: str
    purged_at: datetime


class PurgeStore:
    """The truth about purges. Raises DatabaseUnavailable when PostgreSQL is away."""

    def __init__(self, database: Database) -> None:
        """Take the database."""
        self._database = database

    def read(self) -> PurgeTimes:
        """Return the time of the last purge by (namespace, task type)."""
        with self._database.begin() as connection:
            rows = connection.execute(select(purges)).all()
        return {(row.namespace, row.task_type): row.purged_at for row in rows}

    def write(self, namespace: str, task_type: str) -> Purge:
        """Commit a purge as of now."""
        values = {"namespace": namespace, "task_type": task_type, "purged_at": func.clock_timestamp()}
        statement = insert(purges).values(values)
        statement = statement.on_conflict_do_update(
            index_elements=["namespace", "task_type"],
            set_={"purged_at": func.greatest(statement.excluded.purged_at, purges.c.purged_at)},
        )
        with self._database.begin() as connection:
            purged_at = connection.execute(statement.returning(purges.c.purged_at)).scalar_one()
        return Purge(namespace, task_type, purged_at)
