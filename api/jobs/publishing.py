"""Publishing of jobs that were just committed."""

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, func

from shared.db.engine import Database
from shared.db.tables import jobs
from shared.errors import DatabaseUnavailable
from shared.jobs.job import Job
from shared.jobs.transitions import PUBLISH_SOON

logger = logging.getLogger(__name__)

_PUBLISH_SOON = PUBLISH_SOON.update(publish_at=func.now()).where(
    jobs.c.id == any_(bindparam("job_ids", type_=ARRAY(Uuid)))
)


class Publishing:
    """Publishes new jobs, all in one round trip for each queue."""

    def __init__(self, database: Database, send: Callable[[Sequence[UUID], str], bool]) -> None:
        """`send`: sends these ids to the workers of a queue; returns whether the broker has confirmed every one."""
        self._database = database
        self._send = send

    def publish(self, new: Sequence[Job]) -> None:
        """Publish jobs. If the broker is down maintenance publishes them later, because they are committed."""
        by_queue: dict[str, list[UUID]] = defaultdict(list)
        for job in new:
            by_queue[job.queue].append(job.id)
        for queue, job_ids in by_queue.items():
            if not self._send(job_ids, queue):
                self._leave_to_maintenance(job_ids)

    def _leave_to_maintenance(self, job_ids: list[UUID]) -> None:
        try:
            self._database.run(_PUBLISH_SOON, {"job_ids": job_ids})
        except DatabaseUnavailable:
            # They were committed a moment ago, so they are accepted; maintenance publishes them a little later.
            logger.warning("Jobs not marked for publishing", extra={"job_ids": [str(job_id) for job_id in job_ids]})
