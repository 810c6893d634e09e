"""Content locks: at most one job at a time asks the provider about a picture, whatever the picture's address."""

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from shared.db.engine import Database
from shared.db.tables import jobs
from shared.jobs.errors import ContentLocked
from shared.jobs.job import Job, JobStatus
from shared.jobs.transitions import KNOW_CONTENT, LOCK_CONTENT
from workers.jobs.fences import of_claim
from workers.jobs.outage_retry import OutageRetry, retried_while_unavailable


class ContentLocks:
    """Locks in a column of the table `jobs`. A job holds its lock until its claim ends.

    Every method retries while PostgreSQL is away, for as long as `outage_retry` says. Then it raises
    DatabaseUnavailable.
    """

    def __init__(self, database: Database, outage_retry: OutageRetry) -> None:
        self._database = database
        self.outage_retry = outage_retry

    @retried_while_unavailable
    def take(self, job: Job, content_key: str | None, sha256: str) -> bool:
        """Lock this content for the job; return False if the claim no longer holds, for example after a cancel.

        Without a key nothing is locked. The job's row gets the picture's digest even if the lock is not taken. Raises
        ContentLocked if another job holds the lock. A job may take its own lock twice.
        """
        try:
            with self._database.begin() as connection:
                locking = LOCK_CONTENT.update(content_lock=content_key, content_sha256=sha256)
                return connection.execute(locking.where(of_claim(job))).rowcount == 1
        except IntegrityError as err:
            with self._database.begin() as connection:
                connection.execute(KNOW_CONTENT.update(content_sha256=sha256).where(of_claim(job)))
            raise ContentLocked from err

    @retried_while_unavailable
    def check_free(self, content_key: str) -> None:
        """Raise ContentLocked if a job holds the lock of this content."""
        holder = select(jobs.c.id).where(jobs.c.content_lock == content_key, jobs.c.status == JobStatus.IN_PROGRESS)
        with self._database.begin() as connection:
            if connection.execute(holder).first() is not None:
                raise ContentLocked
