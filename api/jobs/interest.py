"""How many calls want a job, counted in Redis, so that one can be cancelled when the last of them is gone."""

import logging
from uuid import UUID

from redis import Redis

from shared.breaker import Breaker
from shared.errors import ServerDown

PREFIX = "askonce:interest:"

logger = logging.getLogger(__name__)


class Interest:
    """Safe to use from many threads.

    Whatever is not counted, in a crash or while Redis is away, makes it likelier that a job goes on.
    """

    def __init__(self, client: Redis, breaker: Breaker, seconds: int) -> None:
        """`client`: used by this object only. `seconds`: how long counts are kept, at least as long as any job runs."""
        self._client = client
        self._breaker = breaker
        self._seconds = seconds

    def add(self, job_id: UUID) -> None:
        """Count one more call that wants this job."""
        self._change(job_id, 1)

    def drop(self, job_id: UUID) -> bool:
        """Count one call less; return whether it was certainly the last one."""
        return self._change(job_id, -1) == 0

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _change(self, job_id: UUID, by: int) -> int | None:
        key = f"{PREFIX}{job_id}"
        with self._client.pipeline() as pipeline:
            pipeline.incrby(key, by)
            pipeline.expire(key, self._seconds)
            try:
                counted, _ = self._breaker.call(pipeline.execute)
            except ServerDown:
                logger.debug("Interest in a job not counted", extra={"job_id": str(job_id)})
                return None
        return int(counted)
