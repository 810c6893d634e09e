"""At most one job at a time pays for a picture, however it was addressed: that job holds the content lock."""

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from shared.db.engine import Database
from shared.db.tables import jobs
from shared.jobs.errors import ContentLocked
from shared.jobs.job import Job, JobStatus
from shared.jobs.transitions import KNOW_CONTENT, LOCK_CONTENT
from workers.jobs.claims import of_claim
from workers.jobs.outage_retry import OutageRetry, retried_while_unavailable


class ContentLocks:
    """The locks are a column of the table `jobs`, and last as long as the claims of the jobs that hold them.

    Every method waits, within `outage_retry`, for PostgreSQL to come back; then it raises DatabaseUnavailable.
    """

    def __init__(self, database: Database, outage_retry: OutageRetry) -> None:
        self._database = database
        self.outage_retry = outage_retry

    @retried_while_unavailable
    def take(self, job: Job, content_key: str | None, sha256: str) -> bool:
        """Lock this content for the job; False when the claim no longer holds, after a cancel say.

        Without a key nothing is locked. Either way the job remembers the digest of its picture. Raises ContentLocked
        while another job holds the lock. A job may take its own lock twice.
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
        """Raise ContentLocked while a job holds the lock of this content."""
        holder = select(jobs.c.id).where(jobs.c.content_lock == content_key, jobs.c.status == JobStatus.IN_PROGRESS)
        with self._database.begin() as connection:
            if connection.execute(holder).first() is not None:
                raise ContentLocked
