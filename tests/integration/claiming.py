"""What tests of claims do with them."""

from dataclasses import replace
from datetime import timedelta

from shared.db.engine import Database
from shared.domain.answer import Usage
from shared.jobs.job import Job
from shared.times import first_id_at, now
from tests.integration.asking import write
from workers.jobs.claims import Claims
from workers.jobs.provider_calls import ProviderCall
from workers.maintenance.sweeps import Sweeps

REPUBLISH_SECONDS = 15


def a_call(claims: Claims, job: Job, error_code: str | None = None) -> ProviderCall:
    call_id = claims.begin_call(job, job.route)
    assert call_id is not None
    return ProviderCall(call_id, job.provider, job.model, now(), error_code, Usage(1, 2, 3))


def claimed_long_ago(job: Job, database: Database) -> Job:
    """Let the call that was recorded with the claim be a minute old."""
    begun = first_id_at(now() - timedelta(minutes=1))
    write(database, "UPDATE provider_calls SET id = :old WHERE id = :new", old=begun, new=job.begun_call)
    return replace(job, begun_call=begun)


def lose_lease(database: Database) -> None:
    write(database, "UPDATE jobs SET lease_until = now() - interval '1 second'")
    list(Sweeps(database, REPUBLISH_SECONDS).take_back_lost(max_attempts=5))
