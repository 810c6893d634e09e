"""How PostgreSQL finds the jobs of a page: by an index of what they must be, however many newer jobs there are."""

from typing import Any

import pytest
from sqlalchemy import create_engine, event

from api.jobs.pages import read_page
from shared.config import Settings
from shared.db.engine import Database
from tests.integration.asking import write

WANTED: dict[str, dict[str, Any]] = {
    "of a tenant": {"wanted": {}, "tenant": "acme"},
    "of a task type": {"wanted": {"task_type": "chat"}},
    "of a status": {"wanted": {"status": "failed"}},
}
# Half of the jobs are wanted, so that PostgreSQL expects one among any few; but none of the newest.
FILL = """
    INSERT INTO jobs (id, client, tenant, namespace, task_type, queue, provider, model, cache_key, sharable, refresh,
        status, request, publish_at, not_before, deadline_at, completed_at)
    SELECT lpad(to_hex(n), 32, '0')::uuid, 'c', CASE WHEN old THEN 'acme' ELSE 'bolt' END, 'default',
        CASE WHEN old THEN 'chat' ELSE 'sentiment' END, 'text', 'simulated', 'm', md5(n::text), true, false,
        CASE WHEN old THEN 'failed' ELSE 'completed' END, jsonb_build_object('input', repeat(md5(n::text), 40)),
        now(), now(), now(), now()
    FROM (SELECT n, n <= 2000 AS old FROM generate_series(1, 4000) AS n) AS numbered
"""


@pytest.mark.parametrize("name", WANTED)
def test_a_page_reads_no_newer_jobs_of_others(database: Database, settings: Settings, name: str) -> None:
    write(database, FILL)
    tidy_up(settings)
    executed = []
    with database.begin() as connection:
        event.listen(connection, "before_cursor_execute", lambda *about: executed.append(about[2:4]))
        found, _ = read_page(connection, limit=20, before=None, **WANTED[name])
        statement, given = executed[0]
        plan = "\n".join(line for (line,) in connection.exec_driver_sql(f"EXPLAIN (ANALYZE) {statement}", given))
    assert len(found) == 20
    assert "Seq Scan on jobs" not in plan
    assert "Rows Removed by Filter" not in plan, plan


def tidy_up(settings: Settings) -> None:
    """Do what autovacuum does once so many rows are new."""
    engine = create_engine(settings.database_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("VACUUM ANALYZE jobs")
    engine.dispose()
