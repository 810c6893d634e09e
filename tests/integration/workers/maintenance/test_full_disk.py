"""A PostgreSQL whose disk is full: what writes is refused by name or waits, what reads goes on."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from shared.db.engine import Database
from shared.errors import DatabaseExhausted
from shared.jobs.job import Job, JobStatus
from tests.integration.api_client import Api, a_body
from tests.integration.asking import an_answer, write
from tests.integration.running import jobs_of
from workers.bootstrap import WorkerServices
from workers.jobs.claims import Claims
from workers.jobs.outage_retry import OutageRetry

POSTS = 4
WAIT_SECONDS = 20.0


@contextmanager
def full_disk(database: Database) -> Iterator[None]:
    """Refuse every write to `jobs` as PostgreSQL does when it finds no room."""
    write(
        database,
        """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$""",
    )
    write(database, "CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION refuse()")
    try:
        yield
    finally:
        write(database, "DROP FUNCTION refuse CASCADE")


def test_a_miss_is_refused_by_name_and_may_come_again(api: Api, database: Database) -> None:
    with full_disk(database):
        reply = api.post(a_body())
    assert (reply.status_code, reply.json["code"]) == (503, "database_exhausted")
    assert "Retry-After" in reply.headers


def test_what_only_reads_is_served_however_often_writes_were_refused(api: Api, database: Database) -> None:
    made = api.post(a_body())
    with full_disk(database):
        for _ in range(POSTS):
            api.post(a_body())
        assert api.get(made.json["urls"]["self"]).status_code == 200


def test_the_end_of_a_job_waits_until_there_is_room(
    worker: WorkerServices, new_job: Callable[[], Job], database: Database
) -> None:
    prices = worker.services.prices
    job = worker.claims.claim(new_job().id)
    assert job is not None
    answer = an_answer(job_id=job.id)
    with ThreadPoolExecutor(1) as pool:
        with full_disk(database):
            ending = pool.submit(worker.claims.complete, job, answer, None)
            with pytest.raises(DatabaseExhausted):
                Claims(database, 30, prices, OutageRetry(-1)).complete(job, answer, None)
            assert not ending.done()
        assert ending.result(WAIT_SECONDS)
    assert jobs_of(worker).get(job.id).status is JobStatus.COMPLETED
