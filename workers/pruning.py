"""Deleting what nobody needs any more, a small batch at a time."""

from sqlalchemy import TextClause, text

from shared.db.engine import Database

UNUSED_PICTURE_MINUTES = 10

# A picture that is uploaded again in this moment has a new `used_at` when the lock is ours, and stays.
_PICTURES = text(f"""
    DELETE FROM pictures WHERE used_at < now() - interval '{UNUSED_PICTURE_MINUTES} minutes' AND sha256 IN (
        SELECT sha256 FROM pictures WHERE used_at < now() - interval '{UNUSED_PICTURE_MINUTES} minutes'
            AND NOT EXISTS (SELECT FROM jobs
                WHERE picture_sha256 = pictures.sha256 AND status IN ('queued', 'in_progress'))
        LIMIT :batch)
""")  # noqa: S608  built of constants

_REQUESTS = text("""
    DELETE FROM requests WHERE id IN (
        SELECT id FROM requests WHERE at < now() - make_interval(days => :days) LIMIT :batch)
""")

_JOBS = text("""
    DELETE FROM jobs WHERE id IN (
        SELECT id FROM jobs WHERE completed_at < now() - make_interval(days => :days)
            AND NOT EXISTS (SELECT FROM requests WHERE job_id = jobs.id)
        LIMIT :batch)
""")

_CALLS = text("""
    DELETE FROM provider_calls WHERE id IN (
        SELECT id FROM provider_calls WHERE ended_at < now() - make_interval(days => :days) AND folded LIMIT :batch)
""")


class Pruning:
    """Deletes by age. Raises DatabaseUnavailable when PostgreSQL is away."""

    def __init__(self, database: Database, retention_days: int) -> None:
        """`retention_days`: how long requests, jobs and provider calls are kept. Sums are kept for ever."""
        self._database = database
        self._days = retention_days

    def delete_pictures(self, batch: int) -> int:
        """Delete pictures unused for ten minutes that no live job needs; return how many."""
        return self._delete(_PICTURES, batch=batch)

    def delete_requests(self, batch: int) -> int:
        """Delete request records past their retention; return how many."""
        return self._delete(_REQUESTS, batch=batch, days=self._days)

    def delete_jobs(self, batch: int) -> int:
        """Delete ended jobs past their retention that no request record points to; return how many."""
        return self._delete(_JOBS, batch=batch, days=self._days)

    def delete_provider_calls(self, batch: int) -> int:
        """Delete provider calls past their retention that the sums hold; return how many."""
        return self._delete(_CALLS, batch=batch, days=self._days)

    def _delete(self, statement: TextClause, **parameters: int) -> int:
        with self._database.begin() as connection:
            return connection.execute(statement, parameters).rowcount
