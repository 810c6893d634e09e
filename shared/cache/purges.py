"""When each task type's answers were last purged: the truth in PostgreSQL, and this process's copy of it."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from shared.db.engine import Database
from shared.db.tables import purges

PurgeTimes = Mapping[tuple[str, str], datetime]


class PurgeTimesSource(Protocol):
    """Where the truth about purges is."""

    def read(self) -> PurgeTimes:
        """Return the time of the last purge by (namespace, task type)."""


class PurgeMarks:
    """This process's copy. Answers whose job started before a mark are misses.

    Until it has been loaded once nothing is known, and so nothing is fresh.
    """

    def __init__(self, source: PurgeTimesSource) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._times: PurgeTimes = {}
        self._loaded = False

    @property
    def loaded(self) -> bool:
        """Whether the copy has been read at least once."""
        return self._loaded

    def refresh(self) -> None:
        """Read the truth again; raises what the source raises, and keeps the old copy then."""
        times = self._source.read()
        with self._lock:
            newer = {key: at for key, at in self._times.items() if key not in times or at > times[key]}
            self._times = {**times, **newer}
            self._loaded = True

    def note(self, namespace: str, task_type: str, purged_at: datetime) -> None:
        """Take note of one purge at once, without reading; a reading that began before it may not know of it."""
        with self._lock:
            known = self._times.get((namespace, task_type), purged_at)
            self._times = {**self._times, (namespace, task_type): max(known, purged_at)}

    def allows(self, namespace: str, task_type: str, started_at: datetime) -> bool:
        """Whether an answer whose job started at this time may be served and stored."""
        if not self._loaded:
            return False
        purged_at = self._times.get((namespace, task_type))
        return purged_at is None or started_at > purged_at


@dataclass(frozen=True, slots=True)
class Purge:
    """One purge: answers of jobs that started at this time or before are void."""

    namespace: str
    task_type: str
    purged_at: datetime


class PurgeStore:
    """The truth about purges. Raises DatabaseUnavailable when PostgreSQL is away."""

    def __init__(self, database: Database) -> None:
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
