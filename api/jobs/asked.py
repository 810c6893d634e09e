"""What jobs were asked, for those that are asked again."""

from uuid import UUID

from sqlalchemy import bindparam, select

from shared.db.engine import Database
from shared.db.tables import jobs, pictures
from shared.domain.request import Picture
from shared.jobs.job import Job
from shared.jobs.rows import job_from_row

_WHOLE = select(jobs).where(jobs.c.id == bindparam("job_id"), jobs.c.redacted_request.is_(None))
_PICTURE = select(pictures).where(pictures.c.sha256 == bindparam("sha256"))


def whole_job(job_id: UUID, database: Database) -> Job | None:
    """Read an ended job with its request; None if that is kept no longer, or only as digests."""
    row = next(iter(database.run(_WHOLE, {"job_id": job_id})), None)
    return None if row is None else job_from_row(row)


def uploaded_picture(sha256: str, database: Database) -> Picture | None:
    """Read an uploaded picture; None if it is kept no longer."""
    row = next(iter(database.run(_PICTURE, {"sha256": sha256})), None)
    return None if row is None else Picture(row.sha256, row.media_type, bytes(row.content))
