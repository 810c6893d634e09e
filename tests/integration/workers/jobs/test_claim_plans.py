"""How PostgreSQL finds jobs to claim in a backlog that it has not analyzed: by few rows of the right index."""

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Executable, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from shared.db.engine import Database
from shared.operation import queues
from tests.integration.asking import write
from tests.integration.waiting_jobs import queue_jobs
from workers.jobs import claiming, turns, waiting_clients

GIVEN = {
    "queue": "text",
    "tenant": "",
    "key_id": "",
    "most": 2,
    "job_ids": [uuid.UUID(int=0)],
    "claim_ids": [uuid.UUID(int=0)],
    "tenants": ["a", "b"],
    "key_ids": ["k", "k"],
    "sinces": [datetime(2026, 1, 1, tzinfo=UTC)] * 2,
    "tenants_served": [0, 0],
    "keys_served": [0, 0],
    "each": 10,
    "looked_at": 10,
    "lease": timedelta(seconds=30),
}

BY_ID = {"pk_jobs", "ix_jobs_status_id"}
OF_CLIENTS, RUNNING = "ix_jobs_queue_client", "ix_jobs_lease_until"

PLANNED = {
    "who waits": (waiting_clients._READ, {OF_CLIENTS}),  # noqa: SLF001  its plan is what is tested
    "claim in turn": (turns._TAKE, {OF_CLIENTS, RUNNING, *BY_ID}),  # noqa: SLF001  as above
    "claim by name": (claiming._CLAIM, BY_ID),  # noqa: SLF001  as above
}


@pytest.mark.parametrize("name", PLANNED)
def test_a_backlog_that_analyze_has_not_seen_is_read_by_client_or_id(database: Database, name: str) -> None:
    statement, indexes = PLANNED[name]
    queue_jobs(database, 1000, "a")
    write(database, "UPDATE jobs SET status = 'completed', completed_at = now()")
    write(database, "ANALYZE jobs")
    queue_jobs(database, 5000, "a")
    plan = explained(database, statement)
    used = set(re.findall(r"using (\w+) on jobs", plan))
    assert "Seq Scan on jobs" not in plan
    assert used
    assert used <= indexes


HINTED = {
    "claims": (waiting_clients._READ, turns._TAKE),  # noqa: SLF001  their hint is what is tested
    "queue lengths": (queues._READ,),  # noqa: SLF001  as above
}


@pytest.mark.parametrize("name", HINTED)
def test_a_statement_with_a_hint_is_never_compiled(database: Database, name: str) -> None:
    for statement in HINTED[name]:
        hints = re.match(r"(?:\s*SET LOCAL \w+ = \w+;)+", str(statement))
        assert hints is not None
        with database.begin() as connection:
            connection.execute(text("SET LOCAL jit = on"))
            connection.execute(text(hints[0]))
            assert connection.execute(text("SHOW jit")).scalar() == "off"


def explained(database: Database, statement: Executable) -> str:
    explain = text(str(statement).replace("WITH", "EXPLAIN WITH", 1))
    types = {"job_ids": ARRAY(Uuid), "claim_ids": ARRAY(Uuid)}
    names = [name for name in GIVEN if re.search(rf":{name}\b", str(explain))]
    given = [bindparam(name, GIVEN[name], types.get(name)) for name in names]
    with database.begin() as connection:
        return "\n".join(line for (line,) in connection.execute(explain.bindparams(*given)))
