"""What every claim writes and returns, in SQL."""

from sqlalchemy import Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.selectable import TextualSelect

from shared.db.tables import jobs
from shared.jobs.transitions import CLAIM

QUEUED = CLAIM.sources[0]
"""The status of a job that can be claimed.

A claim by id compares it with a column of the ids, and not as a condition of its own. Otherwise PostgreSQL may look
for the ids in an index of all queued jobs, until ANALYZE has seen how many these are: 100,000 took 45 ms.
"""

SET_CLAIMED = CLAIM.assignments(
    attempts="attempts + 1",
    claims="claims + 1",
    claim_id="wanted.claim_id",
    lease_until="now() + :lease",
    started_at="coalesce(started_at, now())",
)
"""Follows SET, beside a table `wanted` with the ids of the claims."""


def claiming(sql: str) -> TextualSelect:
    """Return a statement with the parameters `job_ids` and `claim_ids`, and rows of `jobs`, which it ends with."""
    returned = ", ".join(f"jobs.{column.name}" for column in jobs.c)
    ids = (bindparam(name, type_=ARRAY(Uuid)) for name in ("job_ids", "claim_ids"))
    return text(f"{sql} RETURNING {returned}").bindparams(*ids).columns(*jobs.c)
