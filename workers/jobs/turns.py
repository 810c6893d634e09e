"""Whose turn it is: the statement that claims the next jobs of the clients that wait."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Text, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from shared.db.tables import UtcDateTime, jobs
from shared.jobs.transitions import CLAIM
from workers.jobs.planner import IN_INDEX_ORDER
from workers.jobs.waiting_clients import QUEUED, WaitingClient

OTHERS = 32
"""How many jobs more than wanted are looked at, because other workers may be claiming the first ones."""

_CLAIMED = CLAIM.assignments(
    attempts="attempts + 1",
    claims="claims + 1",
    claim_id="wanted.claim_id",
    lease_until="now() + :lease",
    started_at="coalesce(started_at, now())",
)

# The next job is one of the tenant with the fewest jobs in progress, and there of the key with the fewest; the oldest
# of several. A client's second job ranks behind its first as if that were in progress already, so that claims that are
# made together are spread as if they came one by one. Ranking locks nothing. Of the first in rank those are locked
# that nobody else has, as many as are wanted, so that no worker waits for another.
#
# `wanted` leaves out claims that were made before, by a commit that was not confirmed, and messages of jobs without a
# key, which run no other job.
_TAKE = text(f"""{IN_INDEX_ORDER}
    WITH running AS MATERIALIZED (
        SELECT tenant, key_id, claim_id FROM jobs
        WHERE status = 'in_progress' AND key_id IS NOT NULL AND queue = :queue
    ), wanted AS MATERIALIZED (
        SELECT message.claim_id, row_number() OVER () AS turn
        FROM unnest(:job_ids, :claim_ids) AS message (job_id, claim_id) JOIN jobs ON jobs.id = message.job_id
        WHERE jobs.queue = :queue AND jobs.key_id IS NOT NULL
            AND message.claim_id NOT IN (SELECT claim_id FROM running WHERE claim_id IS NOT NULL)
    ), next_of_keys AS (
        SELECT client.tenant, job.id, job.not_before, coalesce(running_of_key.jobs, 0)
            + row_number() OVER (PARTITION BY client.tenant, client.key_id ORDER BY job.not_before, job.id) AS place
        FROM unnest(:tenants, :key_ids, :sinces) AS client (tenant, key_id, since)
        CROSS JOIN LATERAL (
            SELECT id, not_before FROM jobs
            WHERE {QUEUED} AND tenant = client.tenant AND key_id = client.key_id
                AND not_before BETWEEN client.since AND now()
            ORDER BY not_before, id LIMIT :each
        ) AS job
        LEFT JOIN (SELECT tenant, key_id, count(*) AS jobs FROM running GROUP BY tenant, key_id) AS running_of_key
            ON (running_of_key.tenant, running_of_key.key_id) = (client.tenant, client.key_id)
    ), next_of_tenants AS (
        SELECT id, next_of_keys.not_before, coalesce(running_of_tenant.jobs, 0)
            + row_number() OVER (PARTITION BY next_of_keys.tenant ORDER BY place, next_of_keys.not_before, id) AS place
        FROM next_of_keys
        LEFT JOIN (SELECT tenant, count(*) AS jobs FROM running GROUP BY tenant) AS running_of_tenant
            ON running_of_tenant.tenant = next_of_keys.tenant
    ), first AS MATERIALIZED (
        SELECT id, '{CLAIM.sources[0]}' AS status, place, not_before FROM next_of_tenants
        ORDER BY place, not_before, id LIMIT :looked_at
    ), taken AS MATERIALIZED (
        SELECT id FROM first JOIN jobs USING (id, status)
        ORDER BY place, first.not_before, id LIMIT (SELECT count(*) FROM wanted)
        FOR UPDATE OF jobs SKIP LOCKED
    )
    UPDATE jobs SET {_CLAIMED}
    FROM (SELECT id, row_number() OVER () AS turn FROM taken) AS turns JOIN wanted ON wanted.turn = turns.turn
    WHERE jobs.id = turns.id
    RETURNING {", ".join(f"jobs.{column.name}" for column in jobs.c)}
""")  # noqa: S608  built of constants
_TAKE_TYPED = _TAKE.bindparams(
    *(bindparam(name, type_=ARRAY(Uuid)) for name in ("job_ids", "claim_ids")),
    *(bindparam(name, type_=ARRAY(Text)) for name in ("tenants", "key_ids")),
    bindparam("sinces", type_=ARRAY(UtcDateTime)),
).columns(*jobs.c)


def take(
    connection: Connection,
    queue: str,
    clients: Sequence[WaitingClient],
    messages: Sequence[tuple[UUID, UUID]],
    lease: timedelta,
) -> Sequence[Row[Any]]:
    """Claim as many jobs of these clients as there are messages of this queue, in turn; return their rows.

    `messages`: job id and claim id of each. Returns fewer rows if fewer jobs are due.
    """
    wanted, others = len(messages), max(0, OTHERS - len(clients))
    return connection.execute(
        _TAKE_TYPED,
        {
            "queue": queue,
            "job_ids": [job_id for job_id, _ in messages],
            "claim_ids": [claim_id for _, claim_id in messages],
            "tenants": [client.tenant for client in clients],
            "key_ids": [client.key_id for client in clients],
            "sinces": [client.since for client in clients],
            "each": wanted + others,
            "looked_at": wanted + OTHERS,
            "lease": lease,
        },
    ).all()
