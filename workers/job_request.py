"""How Celery takes a message of a job."""

from celery.worker.request import Request


class JobRequest(Request):
    """A message that can't be revoked.

    Its id is the job's. A worker that was told to revoke it would throw away every message of the job for hours, and
    the job would stay queued until its deadline. Jobs are cancelled by the API.
    """

    def revoked(self) -> bool:
        """Whether the message is to be thrown away: never."""
        return False
