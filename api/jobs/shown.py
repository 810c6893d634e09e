"""What clients see of jobs, read for many polls at once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import text

from api.jobs.shares import SHARES, Share, shares_of
from api.jobs.viewer import Viewer
from shared.db.engine import Database
from shared.jobs.job import JobStatus, ShownJob
from shared.jobs.rows import shown_fields

# Neither the request nor the result of a job that was cancelled meanwhile: both may be large, and are not shown.
_SHOWN = text(f"""
    SELECT id, task_type, provider, model, cache_key, status, stale, error, attempts, tenant, key_id, traceparent,
        prompt_tokens, completion_tokens, total_tokens, cached_tokens, created_at, started_at, completed_at,
        CASE WHEN status = 'completed' THEN result END AS result, {SHARES} AS shares
    FROM jobs WHERE id = ANY(CAST(:ids AS uuid[]))
""")  # noqa: S608  a constant


@dataclass(frozen=True, slots=True)
class SharedJob:
    """A job, and whose it is."""

    job: ShownJob
    shares: tuple[Share, ...]

    def seen_by(self, viewer: Viewer | None) -> ShownJob | None:
        """Return the job as somebody sees it: as cancelled who has withdrawn, None who has no part in it.

        A key without a share of its own sees what the shares of its tenant show. A trace that may be another tenant's
        is not shown.
        """
        if viewer is None:
            return self.job
        shares = [share for share in self.shares if share.tenant == viewer.tenant]
        if not shares:
            return None
        own = [share for share in shares if share.key_id == viewer.key_id] or shares
        job = self.job if len(shares) == len(self.shares) else replace(self.job, trace=None)
        return as_cancelled(job) if all(share.withdrawn for share in own) else job


def as_cancelled(job: ShownJob) -> ShownJob:
    """Return a job as one sees it who has withdrawn from it."""
    return replace(job, status=JobStatus.CANCELLED, result=None, failure=None)


def read_shown(database: Database, job_ids: Collection[UUID]) -> Mapping[UUID, SharedJob]:
    """Read jobs in one round trip; those that don't exist are missing. Raises DatabaseUnavailable."""
    rows = database.run(_SHOWN, {"ids": [str(job_id) for job_id in job_ids]})
    return {row.id: SharedJob(ShownJob(**shown_fields(row)), shares_of(row)) for row in rows}
