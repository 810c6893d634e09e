"""Claims: of the job that a message names or, where several clients wait, of the job whose turn it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Uuid, bindparam, column, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from shared.db.prepared import BY_INDEX, prepared
from shared.db.tables import jobs
from shared.jobs.job import Job, JobStatus
from shared.jobs.rows import job_from_row
from workers.jobs.claim_sql import QUEUED, SET_CLAIMED, claiming
from workers.jobs.provider_calls import begun_with_claim
from workers.jobs.turns import Message, Turns


@dataclass(frozen=True, slots=True)
class Claiming:
    """A message that names a job. `claim_id`: tells the claim that is made for it from every other claim."""

    job_id: UUID
    claim_id: UUID


_CLAIM = prepared(
    claiming(f"""
    WITH wanted AS MATERIALIZED (
        SELECT job_id AS id, '{QUEUED}' AS status, claim_id
        FROM unnest(:job_ids, :claim_ids) AS message (job_id, claim_id)
    )
    UPDATE jobs SET {SET_CLAIMED} FROM wanted
    WHERE jobs.id = wanted.id AND jobs.status = wanted.status AND not_before <= now()
"""),  # noqa: S608  built of constants
    "claim_jobs",
    BY_INDEX,
)

_wanted = (
    func.unnest(bindparam("job_ids", type_=ARRAY(Uuid)), bindparam("claim_ids", type_=ARRAY(Uuid)))
    .table_valued(column("job_id", Uuid), column("claim_id", Uuid))
    .render_derived("wanted")
)
_named = jobs.alias("named")
_AGAIN = select(_named.c.queue.label("named_queue"), _named.c.key_id.label("named_key_id"), jobs).select_from(
    _wanted.outerjoin(_named, _named.c.id == _wanted.c.job_id).outerjoin(
        jobs, (jobs.c.claim_id == _wanted.c.claim_id) & (jobs.c.status == JobStatus.IN_PROGRESS)
    )
)


class Claimer:
    """Serves messages, each by one claim. A message is the permission to run one job of its queue.

    It runs the job that it names, unless several clients have jobs queued in that queue: then it runs the one whose
    turn it is. The message of that job finds it gone, and runs the next one in turn. So there are as many messages as
    jobs, and no job waits behind the messages of another client.
    """

    def __init__(self, lease: timedelta) -> None:
        """`lease`: how long a claim holds unless it is renewed."""
        self._lease = lease
        self._turns = Turns(lease)

    def claim(self, connection: Connection, wanted: Sequence[Claiming]) -> list[Job | None]:
        """Claim a due job for each message; return it as it is then, None where there is none."""
        ways = [self._turns.take, self._again, self._named]
        if not self._turns.are_due(connection):
            ways.reverse()
        # A client who came since the last look may wait for just this message: its own ran another client's job.
        ways.append(self._turns.take_anew)
        # Whoever locks several jobs does so in one order, or they would wait for each other.
        messages = sorted((each.job_id, each.claim_id) for each in wanted)
        claimed: dict[UUID, Row[Any]] = {}
        for way in ways:
            if messages:
                rows = way(connection, messages)
                self._turns.note(rows)
                claimed |= {row.claim_id: row for row in rows}
                messages = [message for message in messages if message[1] not in claimed]
        return [_job(claimed[each.claim_id]) if each.claim_id in claimed else None for each in wanted]

    def _named(self, connection: Connection, messages: Sequence[Message]) -> list[Row[Any]]:
        """Claim the jobs that the messages name."""
        return list(connection.execute(_CLAIM, {**_ids(messages), "lease": self._lease}).all())

    def _again(self, connection: Connection, messages: Sequence[Message]) -> list[Row[Any]]:
        """Find claims that were made before, by a commit that was not confirmed.

        Takes notice of keys: a job that is gone may have been run in turn, and its message owes a run to another one.
        """
        rows = connection.execute(_AGAIN, _ids(messages)).all()
        for row in rows:
            if row.named_key_id is not None:
                self._turns.meet(row.named_queue)
        return [row for row in rows if row.claim_id is not None]


def _job(row: Row[Any]) -> Job:
    return job_from_row(row, begun_with_claim(row))


def _ids(messages: Sequence[Message]) -> dict[str, list[UUID]]:
    return {"job_ids": [job_id for job_id, _ in messages], "claim_ids": [claim_id for _, claim_id in messages]}
