"""Whose turn it is: claims the next jobs of the clients that wait."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Connection, Row, Text, bindparam
from sqlalchemy.dialects.postgresql import ARRAY

from shared.db.tables import UtcDateTime
from workers.jobs.claim_sql import QUEUED, SET_CLAIMED, claiming
from workers.jobs.last_served import LastServed
from workers.jobs.planner import IN_INDEX_ORDER
from workers.jobs.waiting_clients import WAITING, WaitingClient, WaitingClients

Message = tuple[UUID, UUID]
"""The job id that a message names, and the id of the claim that is made for it."""

OTHERS = 32
"""How many jobs more than wanted are looked at, because other workers may be claiming the first ones."""

# The next job is one of the tenant with the fewest jobs in progress, and there of the key with the fewest. Of those
# that are level, it is one of whom this process has not served for longest: by the age of jobs, a long backlog would
# have every turn where there are fewer slots than clients. A client's second job ranks behind its first as if that were
# in progress already, so that claims that are made together are spread as if they came one by one.
#
# Ranking locks nothing. Of the first in rank those are locked that nobody else has, as many as are wanted, so that no
# worker waits for another.
#
# `wanted` leaves out claims that were made before, by a commit that was not confirmed, and messages of jobs without a
# key, which run no other job.
_TAKE = claiming(
    f"""
    WITH running AS MATERIALIZED (
        SELECT tenant, key_id, claim_id FROM jobs WHERE status = 'in_progress' AND queue = :queue
    ), wanted AS MATERIALIZED (
        SELECT message.claim_id, row_number() OVER () AS turn
        FROM unnest(:job_ids, :claim_ids) AS message (job_id, claim_id) JOIN jobs ON jobs.id = message.job_id
        WHERE jobs.queue = :queue AND jobs.key_id IS NOT NULL
            AND message.claim_id NOT IN (SELECT claim_id FROM running WHERE claim_id IS NOT NULL)
    ), next_of_keys AS (
        SELECT client.*, job.id, job.not_before, coalesce(running_of_key.jobs, 0)
            + row_number() OVER (PARTITION BY client.tenant, client.key_id ORDER BY job.not_before, job.id) AS place
        FROM unnest(:tenants, :key_ids, :sinces, :tenants_served, :keys_served)
            AS client (tenant, key_id, since, tenant_served, key_served)
        CROSS JOIN LATERAL (
            SELECT id, not_before FROM jobs
            WHERE {WAITING} AND tenant = client.tenant AND key_id = client.key_id
                AND not_before BETWEEN client.since AND now()
            ORDER BY not_before, id LIMIT :each
        ) AS job
        LEFT JOIN (SELECT tenant, key_id, count(*) AS jobs FROM running GROUP BY tenant, key_id) AS running_of_key
            ON (running_of_key.tenant, running_of_key.key_id) = (client.tenant, client.key_id)
    ), next_of_tenants AS (
        SELECT id, not_before, tenant_served, coalesce(running_of_tenant.jobs, 0)
            + row_number() OVER (PARTITION BY tenant ORDER BY place, key_served, not_before, id) AS place
        FROM next_of_keys
        LEFT JOIN (SELECT tenant, count(*) AS jobs FROM running GROUP BY tenant) AS running_of_tenant USING (tenant)
    ), first AS MATERIALIZED (
        SELECT id, '{QUEUED}' AS status, row_number() OVER (ORDER BY place, tenant_served, not_before, id)
            AS place FROM next_of_tenants ORDER BY place LIMIT :looked_at
    ), taken AS MATERIALIZED (
        SELECT id FROM first JOIN jobs USING (id, status) ORDER BY place LIMIT (SELECT count(*) FROM wanted)
        FOR UPDATE OF jobs SKIP LOCKED
    )
    UPDATE jobs SET {SET_CLAIMED}
    FROM (SELECT id, row_number() OVER () AS turn FROM taken) AS turns JOIN wanted ON wanted.turn = turns.turn
    WHERE jobs.id = turns.id
""",  # noqa: S608  built of constants
    before=IN_INDEX_ORDER,
).bindparams(
    *(bindparam(name, type_=ARRAY(Text)) for name in ("tenants", "key_ids")),
    *(bindparam(name, type_=ARRAY(BigInteger)) for name in ("tenants_served", "keys_served")),
    bindparam("sinces", type_=ARRAY(UtcDateTime)),
)


class Turns:
    """The turns of the clients in the queues that this process has met keys in."""

    def __init__(self, lease: timedelta) -> None:
        """`lease`: how long a claim holds unless it is renewed."""
        self._lease = lease
        self._waiting = WaitingClients()
        self._last_served = LastServed()

    def meet(self, queue: str) -> None:
        """Take notice that jobs of keys come in this queue."""
        self._waiting.meet(queue)

    def note(self, claimed: Sequence[Row[Any]]) -> None:
        """Take notice of jobs that this process has claimed, in turn or not."""
        with_keys = [row for row in claimed if row.key_id is not None]
        for queue in {row.queue for row in with_keys}:
            self.meet(queue)
        self._last_served.note(with_keys)

    def are_due(self, connection: Connection) -> bool:
        """Return whether several clients have due jobs in one queue."""
        return any(len(clients) > 1 for clients in self._waiting.by_queue(connection).values())

    def take(self, connection: Connection, messages: Sequence[Message]) -> list[Row[Any]]:
        """Claim as many jobs as there are messages of their queue, in turn; return their rows.

        There are fewer if fewer jobs are due. Messages of jobs without a key get none.
        """
        rows: list[Row[Any]] = []
        for queue, clients in self._waiting.by_queue(connection).items():
            if clients:
                rows += connection.execute(_TAKE, self._parameters(messages, queue, clients)).all()
        return rows

    def take_anew(self, connection: Connection, messages: Sequence[Message]) -> list[Row[Any]]:
        """Do as `take` does, but ask first who waits at this moment."""
        self._waiting.forget()
        return self.take(connection, messages)

    def _parameters(
        self, messages: Sequence[Message], queue: str, clients: Sequence[WaitingClient]
    ) -> dict[str, object]:
        return {
            "queue": queue,
            "lease": self._lease,
            "job_ids": [job_id for job_id, _ in messages],
            "claim_ids": [claim_id for _, claim_id in messages],
            "tenants": [client.tenant for client in clients],
            "key_ids": [client.key_id for client in clients],
            "sinces": [client.since for client in clients],
            "tenants_served": [self._last_served.of(client.tenant) for client in clients],
            "keys_served": [self._last_served.of(client.tenant, client.key_id) for client in clients],
            "each": len(messages) + max(0, OTHERS - len(clients)),
            "looked_at": len(messages) + OTHERS,
        }
