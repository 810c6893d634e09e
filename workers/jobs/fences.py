"""The fence of a claim, which every write of a worker names: it changes nothing once another worker has the job."""

from sqlalchemy import ColumnElement

from shared.db.tables import jobs
from shared.jobs.job import Job


def of_claim(job: Job) -> ColumnElement[bool]:
    """Return the condition that fences every write of a claim."""
    return (jobs.c.id == job.id) & (jobs.c.claims == job.claims)
