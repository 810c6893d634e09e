"""How many live jobs a key has, or all keys of a tenant together."""

from collections.abc import Mapping

from sqlalchemy import Connection, text

# A cancelled job counts as long as its call runs on: else who cancels again and again had any number of calls at once.
_COUNT = text("""
    SELECT count(*) AS live, count(*) FILTER (WHERE status = 'queued') AS queued FROM (
        SELECT status FROM jobs
        WHERE status IN ('queued', 'in_progress') AND key_id IS NOT NULL AND tenant = :tenant
            AND (key_id = :key_id OR :key_id = '')
        UNION ALL
        SELECT called.status FROM provider_calls, LATERAL (
            -- OFFSET 0: each by its id, whatever the planner believes of how many calls there are.
            SELECT status, tenant, key_id FROM jobs WHERE id = provider_calls.job_id OFFSET 0
        ) AS called
        WHERE provider_calls.outcome = 'started' AND called.status = 'cancelled'
            AND called.key_id IS NOT NULL AND called.tenant = :tenant AND (called.key_id = :key_id OR :key_id = '')
    ) AS live
""")


def live_jobs(connection: Connection, tenant: str, key_id: str) -> Mapping[str, int]:
    """Return the number of jobs by the limit that counts them. `key_id`: OF_ALL_KEYS for all of the tenant's."""
    counted = connection.execute(_COUNT, {"tenant": tenant, "key_id": key_id}).one()
    return {"jobs_in_flight": counted.live, "queued_jobs": counted.queued}
