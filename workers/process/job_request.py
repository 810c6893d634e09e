"""How Celery takes a message of a job."""

from celery.concurrency.base import BasePool
from celery.worker.request import Request


class JobRequest(Request):
    """A message that can't be revoked or terminated.

    Its id is the job's. A worker that was told to revoke it would throw away every message of the job for hours, and
    the job would stay queued until its deadline. Jobs are cancelled by the API.
    """

    def revoked(self) -> bool:
        """Whether the message is to be thrown away: never."""
        return False

    def terminate(self, pool: BasePool, signal: str | None = None) -> None:
        """Do nothing: threads can't be ended, and Celery would lose the message in trying."""
