"""Jobs of clients with keys, of which many may wait."""

from uuid import UUID

from sqlalchemy import text

from shared.db.engine import Database
from tests.integration.asking import rows

INSERT = """
    INSERT INTO jobs (id, client, tenant, key_id, namespace, task_type, queue, provider, model, cache_key, sharable,
        refresh, status, request, publish_at, not_before, deadline_at)
    SELECT gen_random_uuid(), 'c', :tenant, :key_id, 'default', 'sentiment', 'text', 'simulated', 'm',
        md5(gen_random_uuid()::text), true, false, 'queued', '{}', now() + interval '1 h',
        clock_timestamp() - interval '1 minute', now() + interval '1 h'
    FROM generate_series(1, :count)
    RETURNING id, not_before
"""


def queue_jobs(database: Database, count: int, tenant: str, key_id: str | None = "k") -> list[UUID]:
    """Queue due jobs of a client; return their ids in the order in which they came."""
    given = {"tenant": tenant, "key_id": key_id, "count": count}
    with database.begin(extra_seconds=60) as connection:
        made = connection.execute(text(INSERT), given).all()
    return [row.id for row in sorted(made, key=lambda row: row.not_before)]


def in_progress(database: Database) -> dict[str, int]:
    """Return how many jobs of each tenant are in progress."""
    found = rows(database, "SELECT tenant, count(*) FROM jobs WHERE status = 'in_progress' GROUP BY 1")
    return {row.tenant: row.count for row in found}
