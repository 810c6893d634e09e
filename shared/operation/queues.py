"""How much waits and runs in each queue, and for how long what could run has been waiting."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from shared.db.engine import Database

MOST_COUNTED = 1_000_000
"""Jobs beyond this number are not counted, so that a query takes a second at most. A hundred thousand take 50 ms."""

# Without the first hint, PostgreSQL may read through all jobs that have ended, until ANALYZE has seen that they have.
# With it alone, PostgreSQL before 18 may take the statement for so dear that it compiles it first, for half a second.
_READ = text("""SET LOCAL enable_seqscan = off; SET LOCAL jit = off;
    SELECT coalesce(queued.queue, running.queue) AS queue, coalesce(due, 0) AS due, coalesce(delayed, 0) AS delayed,
        coalesce(running.jobs, 0) AS running, coalesce(extract(epoch FROM now() - oldest_due), 0)::float8 AS oldest
    FROM (
        SELECT queue, count(*) FILTER (WHERE not_before <= now()) AS due,
            count(*) FILTER (WHERE not_before > now()) AS delayed,
            min(not_before) FILTER (WHERE not_before <= now()) AS oldest_due
        FROM (SELECT queue, not_before FROM jobs WHERE status = 'queued' LIMIT :most) AS counted GROUP BY queue
    ) AS queued FULL JOIN (
        SELECT queue, count(*) AS jobs FROM jobs WHERE status = 'in_progress' GROUP BY queue
    ) AS running ON running.queue = queued.queue
""")


@dataclass(frozen=True, slots=True)
class QueueState:
    """One queue of jobs, as PostgreSQL knows it.

    `due`: jobs that a worker could take now. `delayed`: jobs whose time has not come, because they wait for another
    attempt, or for a provider's limit, pause or breaker. `running`: jobs in progress. `oldest_due_seconds`: for how
    long the oldest due job has been due; 0 if none is.
    """

    queue: str
    due: int = 0
    delayed: int = 0
    running: int = 0
    oldest_due_seconds: float = 0.0

    @property
    def waiting(self) -> int:
        """How many jobs no worker has taken."""
        return self.due + self.delayed


def read_queues(database: Database, names: Sequence[str]) -> tuple[QueueState, ...]:
    """Return the state of each of these queues, in this order; raise DatabaseUnavailable.

    It reads the jobs that wait or run, and none that has ended.
    """
    with database.begin() as connection:
        rows = connection.execute(_READ, {"most": MOST_COUNTED}).all()
    found = {row.queue: QueueState(row.queue, row.due, row.delayed, row.running, max(0.0, row.oldest)) for row in rows}
    return tuple(found.get(name, QueueState(name)) for name in names)
