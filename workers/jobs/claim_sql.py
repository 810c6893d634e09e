"""What every claim writes and returns, in SQL."""

from sqlalchemy import Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.selectable import TextualSelect

from shared.db.tables import jobs
from shared.jobs.transitions import CLAIM
from workers.jobs.provider_calls import BEGIN_WITH_CLAIM

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


def claiming(update: str, before: str = "") -> TextualSelect:
    """Return a statement with the parameters `job_ids` and `claim_ids`, whose rows are those of `jobs` that it claims.

    `update`: an UPDATE of `jobs` that claims them. The statement also records the calls that follow at once. `before`:
    what is set for its transaction.
    """
    names = [column.name for column in jobs.c]
    returned = ", ".join(f"jobs.{name}" for name in names)
    statement = f"""{before}
        WITH claimed AS ({update} RETURNING {returned}), begun AS ({BEGIN_WITH_CLAIM})
        SELECT {", ".join(names)} FROM claimed
    """  # noqa: S608  built of constants
    ids = (bindparam(name, type_=ARRAY(Uuid)) for name in ("job_ids", "claim_ids"))
    return text(statement).bindparams(*ids).columns(*jobs.c)
