"""Claims: of the job that a message names or, where several clients wait, of the job whose turn it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Interval, Row, Uuid, any_, bindparam, column, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from shared.db.tables import jobs
from shared.jobs.job import Job, JobStatus
from shared.jobs.rows import job_from_row
from shared.jobs.transitions import CLAIM
from workers.jobs import turns
from workers.jobs.waiting_clients import WaitingClients


@dataclass(frozen=True, slots=True)
class Claiming:
    """A message that names a job. `claim_id`: tells the claim that is made for it from every other claim."""

    job_id: UUID
    claim_id: UUID


Way = Callable[[Connection, Sequence[tuple[UUID, UUID]]], Sequence[Row[Any]]]
"""A way to serve messages, job id and claim id of each: returns the rows of the jobs that are claimed."""

_wanted = (
    func.unnest(bindparam("job_ids", type_=ARRAY(Uuid)), bindparam("claim_ids", type_=ARRAY(Uuid)))
    .table_valued(column("job_id", Uuid), column("claim_id", Uuid))
    .render_derived("wanted")
)
_CLAIM = (
    CLAIM.update(
        attempts=jobs.c.attempts + 1,
        claims=jobs.c.claims + 1,
        claim_id=_wanted.c.claim_id,
        lease_until=func.now() + bindparam("lease", type_=Interval),
        started_at=func.coalesce(jobs.c.started_at, func.now()),
    )
    .where(jobs.c.id == _wanted.c.job_id, jobs.c.not_before <= func.now())
    .returning(jobs)
)
_CLAIMED = select(jobs).where(
    jobs.c.claim_id == any_(bindparam("claim_ids", type_=ARRAY(Uuid))), jobs.c.status == JobStatus.IN_PROGRESS
)


class ClaimingInTurn:
    """Serves messages, each by one claim. A message is the permission to run one job of its queue.

    It runs the job that it names, unless several clients have jobs queued in that queue: then it runs the one whose
    turn it is. The message of that job finds it gone, and runs the next one in turn. So there are as many messages as
    jobs, and no job waits behind the messages of another client.
    """

    def __init__(self, lease: timedelta) -> None:
        self._lease = lease
        self._waiting = WaitingClients()

    def claim(self, connection: Connection, wanted: Sequence[Claiming]) -> list[Job | None]:
        """Claim a due job for each message; return it as it is then, None where there is none."""
        waiting = self._waiting.by_queue(connection)

        def in_turn(connection: Connection, messages: Sequence[tuple[UUID, UUID]]) -> Sequence[Row[Any]]:
            taken = [turns.take(connection, *each, messages, self._lease) for each in waiting.items() if each[1]]
            return [row for rows in taken for row in rows]

        contended = any(len(clients) > 1 for clients in waiting.values())
        ways: list[Way] = [in_turn, _known_again, self._named] if contended else [self._named, _known_again, in_turn]
        # Whoever locks several jobs does so in one order, or they would wait for each other.
        messages = sorted((each.job_id, each.claim_id) for each in wanted)
        claimed: dict[UUID, Row[Any]] = {}
        for way in ways:
            if messages:
                rows = way(connection, messages)
                self._waiting.meet(rows)
                claimed |= {row.claim_id: row for row in rows}
                messages = [message for message in messages if message[1] not in claimed]
        return [job_from_row(claimed[each.claim_id]) if each.claim_id in claimed else None for each in wanted]

    def _named(self, connection: Connection, messages: Sequence[tuple[UUID, UUID]]) -> Sequence[Row[Any]]:
        """Claim the jobs that the messages name."""
        return connection.execute(_CLAIM, {**_parameters(messages), "lease": self._lease}).all()


def _known_again(connection: Connection, messages: Sequence[tuple[UUID, UUID]]) -> Sequence[Row[Any]]:
    """Find claims that were made before, by a commit that was not confirmed."""
    return connection.execute(_CLAIMED, {"claim_ids": _parameters(messages)["claim_ids"]}).all()


def _parameters(messages: Sequence[tuple[UUID, UUID]]) -> dict[str, list[UUID]]:
    return {"job_ids": [job_id for job_id, _ in messages], "claim_ids": [claim_id for _, claim_id in messages]}
