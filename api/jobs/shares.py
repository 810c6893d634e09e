"""Shares of a job: each key that asked for the same has one. A job is cancelled with its last share."""

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Row, text
from sqlalchemy.dialects.postgresql import insert

from api.jobs.shares_table import job_subscribers
from api.jobs.viewer import Viewer
from shared.db.tables import LIVE
from shared.domain.request import Client

SHARES = (
    """(SELECT json_agg(json_build_array(tenant, key_id, withdrawn)) FROM job_subscribers WHERE job_id = jobs.id)"""
)
"""SQL: the shares of a row of `jobs`, but for the one of who made it, which is in the row."""

# It waits for a cancel that is under way, which locks the row, and does nothing if that was the last share.
_JOIN = text(f"""
    INSERT INTO job_subscribers (job_id, key_id, tenant)
    SELECT id, :key_id, :tenant FROM jobs WHERE id = :job_id AND {LIVE} FOR KEY SHARE
    ON CONFLICT (job_id, key_id) DO UPDATE SET withdrawn = false RETURNING job_id
""")  # noqa: S608  a constant

_LOCKED = text(f"SELECT *, {SHARES} AS shares FROM jobs WHERE id = :job_id FOR UPDATE")  # noqa: S608  a constant


class Share(NamedTuple):
    """The part of one key in a job. `key_id` is empty where no keys are asked for."""

    tenant: str
    key_id: str
    withdrawn: bool


def join(connection: Connection, job_id: UUID, client: Client) -> bool:
    """Give a client's key a share of a live job; return False if the job is live no more."""
    parameters = {"job_id": job_id, "key_id": client.key_id, "tenant": client.tenant}
    return connection.execute(_JOIN, parameters).first() is not None


def lock(connection: Connection, job_id: UUID) -> Row[Any] | None:
    """Return the row of a job, with its shares, and let nobody join it until the transaction ends."""
    return connection.execute(_LOCKED, {"job_id": job_id}).first()


def shares_of(row: Row[Any]) -> tuple[Share, ...]:
    """Return all shares of a job, from a row that has SHARES as `shares`."""
    joined = [Share(*share) for share in row.shares or ()]
    # Who made it has a row there only once it has joined it again, or has withdrawn.
    made_it = row.key_id or ""
    if all(share.key_id != made_it for share in joined):
        joined.insert(0, Share(row.tenant, made_it, withdrawn=False))
    return tuple(joined)


def given_up(shares: tuple[Share, ...], viewer: Viewer | None) -> list[Share]:
    """Return the shares that go when somebody cancels: its own, else all of its tenant, and all when it is an admin."""
    active = [share for share in shares if not share.withdrawn]
    if viewer is None:
        return active
    own = [share for share in active if share.key_id == viewer.key_id]
    return own or [share for share in active if share.tenant == viewer.tenant]


def withdraw(connection: Connection, job_id: UUID, shares: list[Share]) -> None:
    """Record that these shares are given up."""
    rows = [{"job_id": job_id, "key_id": share.key_id, "tenant": share.tenant, "withdrawn": True} for share in shares]
    statement = insert(job_subscribers).values(rows)
    changed = {"withdrawn": statement.excluded.withdrawn}
    connection.execute(statement.on_conflict_do_update(index_elements=["job_id", "key_id"], set_=changed))
