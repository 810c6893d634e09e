"""When each task type was last purged: the table in PostgreSQL, and each process's copy of it."""

import threading
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from shared.db.audit_tables import audits
from shared.db.engine import Database
from shared.db.tables import purges

PurgeTimes = Mapping[tuple[str, str], datetime]

MAX_AGE_SECONDS = 0.25
"""The greatest age of the copy in a process that hears no announcements. A purge returns only when all are newer."""


ALL = "*"
"""In place of a namespace: a purge of all namespaces."""


class PurgeTimesSource(Protocol):
    """A source of purge times, such as PostgreSQL."""

    def read(self) -> PurgeTimes:
        """Return the time of the last purge by (namespace, task type)."""


class PurgeMarks:
    """A copy of the purge times in this process. Answers whose job started before a purge are misses.

    Until the copy has been loaded once, every answer is a miss.
    """

    def __init__(self, source: PurgeTimesSource) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._refreshing = threading.Lock()
        self._times: PurgeTimes = {}
        self._loaded = False
        self._loaded_at = float("-inf")

    @property
    def loaded(self) -> bool:
        """Whether the copy has been loaded at least once."""
        return self._loaded

    def refresh(self) -> None:
        """Load the purge times again. Raises what the source raises, and then keeps the old copy."""
        began = time.monotonic()
        times = self._source.read()
        with self._lock:
            newer = {key: at for key, at in self._times.items() if key not in times or at > times[key]}
            self._times = {**times, **newer}
            self._loaded = True
            self._loaded_at = began

    def refresh_if_old(self) -> None:
        """Load the purge times again if the copy is older than MAX_AGE_SECONDS; raise what `refresh` raises.

        Threads that find it old at the same time wait for one of them.
        """
        if self._is_old:
            with self._refreshing:
                if self._is_old:
                    self.refresh()

    def note(self, namespace: str, task_type: str, purged_at: datetime) -> None:
        """Add one purge to the copy at once; a load that is under way may not include it."""
        with self._lock:
            known = self._times.get((namespace, task_type), purged_at)
            self._times = {**self._times, (namespace, task_type): max(known, purged_at)}

    @property
    def _is_old(self) -> bool:
        return time.monotonic() - self._loaded_at > MAX_AGE_SECONDS

    def allows(self, namespace: str, task_type: str, started_at: datetime) -> bool:
        """Return whether an answer whose job started at this time may be served and stored."""
        if not self._loaded:
            return False
        times = self._times
        purged_at = times.get((namespace, task_type))
        of_all = times.get((ALL, task_type))
        return (purged_at is None or started_at > purged_at) and (of_all is None or started_at > of_all)


@dataclass(frozen=True, slots=True)
class Purge:
    """One purge: it voids answers of jobs that started at this time or before."""

    namespace: str
    task_type: str
    purged_at: datetime


class PurgeStore:
    """The purge times in PostgreSQL. Methods raise DatabaseUnavailable when it is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self) -> PurgeTimes:
        """Return the time of the last purge by (namespace, task type)."""
        with self._database.begin() as connection:
            rows = connection.execute(select(purges)).all()
        return {(row.namespace, row.task_type): row.purged_at for row in rows}

    def write(self, namespace: str, task_type: str) -> Purge:
        """Commit a purge with the current time; return it. Audits of the purged answers go with them."""
        values = {"namespace": namespace, "task_type": task_type, "purged_at": func.clock_timestamp()}
        statement = insert(purges).values(values)
        statement = statement.on_conflict_do_update(
            index_elements=["namespace", "task_type"],
            set_={"purged_at": func.greatest(statement.excluded.purged_at, purges.c.purged_at)},
        )
        purged = delete(audits).where(audits.c.task_type == task_type)
        if namespace != ALL:
            purged = purged.where(audits.c.namespace == namespace)
        with self._database.begin() as connection:
            purged_at = connection.execute(statement.returning(purges.c.purged_at)).scalar_one()
            connection.execute(purged)
        return Purge(namespace, task_type, purged_at)

    def forget_key(self, namespaces: Collection[str], key: str) -> None:
        """Delete the audits of answers under a key."""
        self._database.run(delete(audits).where(audits.c.cache_key == key, audits.c.namespace.in_(namespaces)))
