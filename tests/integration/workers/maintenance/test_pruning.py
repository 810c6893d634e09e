from datetime import timedelta

import pytest

from api.bootstrap import ApiServices
from shared.config import Settings
from shared.db.engine import Database
from shared.jobs.job import Job
from shared.times import now
from tests.installation import Installation
from tests.integration.asking import accepted, an_answer, an_id, ask, ask_about_picture, png, row, rows, write
from workers.bootstrap import WorkerServices
from workers.jobs.claims import Claims
from workers.jobs.outage_retry import OutageRetry
from workers.maintenance.pruning import Pruning

DAYS = 90
CACHED_SECONDS = 3600


@pytest.fixture
def pruning(installation: Installation) -> Pruning:
    return Pruning(installation.database, DAYS, CACHED_SECONDS)


def end(services: ApiServices, job: Job) -> None:
    claims = Claims(services.database, 30, services.prices, OutageRetry(0))
    claimed = claims.claim(job.id)
    assert claimed is not None
    if claimed.begun_call is not None:
        claims.withdraw_call(claimed.begun_call)
    claims.complete(claimed, an_answer(), None)


def age_pictures(database: Database, minutes: int = 11) -> None:
    write(database, "UPDATE pictures SET used_at = now() - make_interval(mins => :minutes)", minutes=minutes)


def an_old_job(services: ApiServices, settings: Settings, days: int = DAYS + 1) -> Job:
    job = accepted(services.jobs, ask(settings))
    end(services, job)
    write(
        services.database,
        "UPDATE jobs SET completed_at = now() - make_interval(days => :days) WHERE id = :id",
        days=days,
        id=job.id,
    )
    return job


def add_request(database: Database, job: Job | None = None, days: int = 0) -> None:
    write(
        database,
        """INSERT INTO requests (id, at, client, outcome, status, latency_ms, job_id)
           VALUES (:id, :at, 'anonymous', 'miss', 202, 1, :job_id)""",
        id=an_id(now() - timedelta(days=days)),
        at=now() - timedelta(days=days),
        job_id=None if job is None else job.id,
    )


def add_call(database: Database, *, days: int, folded: bool) -> None:
    write(
        database,
        """INSERT INTO provider_calls
               (id, job_id, attempt, task_type, provider, model, outcome, started_at, ended_at, folded)
           VALUES (:id, gen_random_uuid(), 1, 'chat', 'groq', 'm', 'completed', :at, :at, :folded)""",
        id=an_id(now() - timedelta(days=days)),
        at=now() - timedelta(days=days),
        folded=folded,
    )


def count(database: Database, table: str) -> int:
    return len(rows(database, f"SELECT 1 FROM {table}"))  # noqa: S608  our own tables


def test_an_unused_old_picture_goes(services: ApiServices, pruning: Pruning, settings: Settings) -> None:
    end(services, accepted(services.jobs, ask_about_picture(settings, png())))
    age_pictures(services.database)
    assert sum(pruning.delete_pictures()) == 1


@pytest.mark.parametrize("claimed", [False, True])
def test_a_picture_that_a_live_job_needs_stays(
    services: ApiServices, pruning: Pruning, settings: Settings, *, claimed: bool
) -> None:
    job = accepted(services.jobs, ask_about_picture(settings, png()))
    if claimed:
        Claims(services.database, 30, services.prices, OutageRetry(0)).claim(job.id)
    age_pictures(services.database)
    assert sum(pruning.delete_pictures()) == 0


def test_a_picture_used_a_moment_ago_stays(services: ApiServices, pruning: Pruning, settings: Settings) -> None:
    end(services, accepted(services.jobs, ask_about_picture(settings, png())))
    age_pictures(services.database, minutes=9)
    assert sum(pruning.delete_pictures()) == 0


def test_requests_go_when_their_retention_is_over(pruning: Pruning, database: Database) -> None:
    add_request(database, days=DAYS + 1)
    add_request(database, days=DAYS - 1)
    assert sum(pruning.delete_requests()) == 1
    assert count(database, "requests") == 1


def test_jobs_go_when_their_retention_is_over(services: ApiServices, pruning: Pruning, settings: Settings) -> None:
    an_old_job(services, settings)
    young = an_old_job(services, settings, days=DAYS - 1)
    assert sum(pruning.delete_jobs()) == 1
    assert [job.id for job in rows(services.database, "SELECT id FROM jobs")] == [young.id]


def test_jobs_stay_as_long_as_a_tier_may_have_their_vectors(services: ApiServices, settings: Settings) -> None:
    an_old_job(services, settings, days=3)
    an_old_job(services, settings, days=5)
    pruning = Pruning(services.database, 1, CACHED_SECONDS, embedded_seconds=4 * 24 * 3600)
    assert sum(pruning.delete_jobs()) == 1


def test_a_job_that_a_younger_request_points_to_stays(
    services: ApiServices, pruning: Pruning, settings: Settings
) -> None:
    add_request(services.database, an_old_job(services, settings))
    assert sum(pruning.delete_jobs()) == 0


def test_a_live_job_stays_however_old(services: ApiServices, pruning: Pruning, settings: Settings) -> None:
    accepted(services.jobs, ask(settings))
    write(services.database, "UPDATE jobs SET created_at = now() - interval '1000 days'")
    assert sum(pruning.delete_jobs()) == 0


def test_provider_calls_go_once_they_are_in_the_statistics(pruning: Pruning, database: Database) -> None:
    add_call(database, days=DAYS + 1, folded=True)
    add_call(database, days=DAYS + 1, folded=False)
    add_call(database, days=DAYS - 1, folded=True)
    assert sum(pruning.delete_provider_calls()) == 1


def test_budgets_go_when_their_retention_is_over(pruning: Pruning, database: Database) -> None:
    write(
        database,
        """INSERT INTO budgets (tenant, key_id, period, starts, tokens_reserved, dollars_reserved)
           SELECT 'acme', '', 'day', current_date - days, 0, 0 FROM unnest(CAST(:days AS integer[])) AS days""",
        days=[max(DAYS, 31) - 1, max(DAYS, 31) + 1, 500],
    )
    assert sum(pruning.delete_budgets()) == 2


def test_pruning_goes_on_in_batches_until_nothing_is_left(database: Database) -> None:
    for _ in range(5):
        add_request(database, days=DAYS + 1)
    assert list(Pruning(database, DAYS, CACHED_SECONDS, batch=2).delete_requests()) == [2, 2, 1]


def test_one_round_prunes_everything(services: ApiServices, worker: WorkerServices, settings: Settings) -> None:
    add_request(services.database, an_old_job(services, settings, DAYS + 2), days=DAYS + 1)
    add_call(services.database, days=DAYS + 1, folded=True)
    end(services, accepted(services.jobs, ask_about_picture(settings, png())))
    age_pictures(services.database)
    worker.maintenance.prune()
    assert [count(services.database, table) for table in ("requests", "jobs", "provider_calls", "pictures")] == [
        0,
        1,
        0,
        0,
    ]


def test_sums_are_kept_for_ever(worker: WorkerServices, database: Database) -> None:
    write(
        database,
        """INSERT INTO hourly_statistics (hour, task_type, outcome, code)
           VALUES (now() - interval '9 years', 'chat', 'miss', '')""",
    )
    worker.maintenance.prune()
    assert count(database, "hourly_statistics") == 1


def test_idempotency_keys_are_forgotten_after_a_day(pruning: Pruning, database: Database) -> None:
    for name, hours in (("young", 23), ("old", 25)):
        write(
            database,
            "INSERT INTO idempotency_keys (tenant, key_id, idempotency_key, cache_key, claimed_at)"
            " VALUES ('t', '', :name, 'c', now() - make_interval(hours => :hours))",
            name=name,
            hours=hours,
        )
    assert sum(pruning.delete_idempotency_keys()) == 1
    assert row(database, "SELECT idempotency_key AS name FROM idempotency_keys").name == "young"


def add_response(database: Database, job: Job, age: timedelta) -> None:
    write(
        database,
        """INSERT INTO responses (id, tenant, job_id, background, model, items, item_bytes, parameters)
           VALUES (:id, 't', :job_id, false, 'm', '[]', 2, '{}')""",
        id=an_id(now() - age),
        job_id=job.id,
    )


def test_responses_go_when_their_retention_is_over(
    services: ApiServices, pruning: Pruning, settings: Settings, database: Database
) -> None:
    job = an_old_job(services, settings)
    for days in (DAYS + 1, DAYS - 1):
        add_response(database, job, timedelta(days=days))
    assert (sum(pruning.delete_responses()), count(database, "responses")) == (1, 1)


def test_without_payloads_responses_go_with_the_results_of_their_jobs(
    services: ApiServices, settings: Settings, database: Database
) -> None:
    pruning = Pruning(database, DAYS, CACHED_SECONDS, keeps_payloads=False)
    for job in (an_old_job(services, settings, days=1), accepted(services.jobs, ask(settings))):
        add_response(database, job, timedelta(seconds=CACHED_SECONDS + 1))
    assert (sum(pruning.delete_responses()), count(database, "responses")) == (1, 1)
