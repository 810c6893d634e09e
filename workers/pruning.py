"""Deleting what nobody needs any more, a small batch at a time."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import TextClause, text

from shared.db.engine import Database
from shared.ids import first_id_at
from shared.times import now

UNUSED_PICTURE_MINUTES = 10
POLLED_SECONDS = 600
"""Results are there at least so long, for clients who poll."""

# A picture that is uploaded again in this moment has a new `used_at` when the lock is ours, and stays.
_PICTURES = text(f"""
    DELETE FROM pictures WHERE used_at < now() - interval '{UNUSED_PICTURE_MINUTES} minutes' AND sha256 IN (
        SELECT sha256 FROM pictures WHERE used_at < now() - interval '{UNUSED_PICTURE_MINUTES} minutes'
            AND NOT EXISTS (SELECT FROM jobs
                WHERE picture_sha256 = pictures.sha256 AND status IN ('queued', 'in_progress'))
        LIMIT :batch)
""")  # noqa: S608  built of constants

# Ids are times, so what is oldest comes first, and nothing is read that stays.
_REQUESTS = text("""
    DELETE FROM requests WHERE id IN (SELECT id FROM requests WHERE id < :before ORDER BY id LIMIT :batch)
""")

_CALLS = text("""
    DELETE FROM provider_calls WHERE id IN (
        SELECT id FROM provider_calls WHERE id < :before AND folded ORDER BY id LIMIT :batch)
""")

# A job stays as long as a tier can hold its answer on top of the retention: a hit at the last moment refers to it.
_JOBS = text("""
    DELETE FROM jobs WHERE id IN (
        SELECT id FROM jobs WHERE completed_at < now() - make_interval(days => :days, secs => :cached)
            AND NOT EXISTS (SELECT FROM requests WHERE job_id = jobs.id)
        ORDER BY completed_at LIMIT :batch)
""")

_RESULTS = text("""
    UPDATE jobs SET result = NULL WHERE id IN (
        SELECT id FROM jobs WHERE redacted_request IS NOT NULL AND result IS NOT NULL
            AND completed_at < now() - make_interval(secs => :cached)
        ORDER BY completed_at LIMIT :batch)
""")


class Pruning:
    """Deletes by age. Raises DatabaseUnavailable when PostgreSQL is away."""

    def __init__(self, database: Database, retention_days: int, cached_seconds: float) -> None:
        """`retention_days`: how long requests, jobs and provider calls are kept. Sums are kept for ever.

        `cached_seconds`: how long a tier may hold the answer of a job that has ended.
        """
        self._database = database
        self._days = retention_days
        self._cached = cached_seconds

    def delete_pictures(self, batch: int) -> int:
        """Delete pictures unused for ten minutes that no live job needs; return how many."""
        return self._run(_PICTURES, batch=batch)

    def delete_requests(self, batch: int) -> int:
        """Delete request records past their retention; return how many."""
        return self._run(_REQUESTS, batch=batch, before=self._oldest_kept())

    def delete_jobs(self, batch: int) -> int:
        """Delete ended jobs past their retention that no request record points to; return how many."""
        return self._run(_JOBS, batch=batch, days=self._days, cached=self._cached)

    def delete_provider_calls(self, batch: int) -> int:
        """Delete provider calls past their retention that the sums hold; return how many."""
        return self._run(_CALLS, batch=batch, before=self._oldest_kept())

    def forget_results(self, batch: int) -> int:
        """Empty the results that must not be kept longer than a tier may serve them; return how many."""
        return self._run(_RESULTS, batch=batch, cached=max(self._cached, POLLED_SECONDS))

    def _oldest_kept(self) -> UUID:
        return first_id_at(now() - timedelta(days=self._days))

    def _run(self, statement: TextClause, **parameters: object) -> int:
        with self._database.begin() as connection:
            return connection.execute(statement, parameters).rowcount
