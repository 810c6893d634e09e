"""Limits of jobs in flight and of queued jobs."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from sqlalchemy import text

from shared.domain.answer import Usage
from shared.domain.limits import Limits
from shared.times import now
from tests.installation import Installation
from tests.integration.api_client import Api, a_body
from tests.integration.eventually import eventually
from tests.integration.key_world import KeyWorld, bearer
from workers.jobs.provider_calls import ProviderCall

COUNTING = text("SELECT pg_advisory_xact_lock(hashtextextended('askonce jobs of ' || :owner, 0))")
WAITING = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")


@pytest.fixture
def world(installation: Installation) -> KeyWorld:
    return KeyWorld(installation)


def statuses(api: Api, client: dict[str, str], times: int) -> list[int]:
    return [api.post(a_body(), **client).status_code for _ in range(times)]


@pytest.mark.parametrize("limit", ["jobs_in_flight", "queued_jobs"])
def test_a_key_has_no_more_jobs_than_its_limit_says(world: KeyWorld, limit: str) -> None:
    client = world.limited(**{limit: 2})
    first = world.api.post(a_body(), **client)
    assert statuses(world.api, client, 2) == [202, 429]
    world.api.run(first, **client)
    assert statuses(world.api, client, 2) == [202, 429]


def test_a_refusal_names_the_limit_and_leaves_no_job(world: KeyWorld) -> None:
    client = world.limited(jobs_in_flight=0)
    response = world.api.post(a_body(), **client)
    assert (response.json["code"], response.json["violated-policies"]) == ("quota_exceeded", ["jobs-in-flight"])
    assert response.headers["Retry-After"] == "1"
    assert response.headers["Cache-Status"] == "redis; fwd=uri-miss, memcached; fwd=uri-miss"
    assert world.api.get("/api/v1/jobs", **client).json["jobs"] == []


def test_hits_and_joined_jobs_need_no_room(world: KeyWorld) -> None:
    client = world.limited(jobs_in_flight=1)
    body = a_body()
    made = world.api.post(body, **client)
    joined = world.api.post(body, **client)
    world.api.run(made, **client)
    world.api.post(a_body(), **client)
    assert (joined.status_code, world.api.post(body, **client).status_code) == (202, 200)


def test_a_running_job_is_in_flight_and_not_queued(world: KeyWorld) -> None:
    queue, flight = world.limited(queued_jobs=1), world.limited(jobs_in_flight=1)
    for client in (queue, flight):
        job_id = world.api.post(a_body(), **client).json["job_id"]
        assert world.api.worker.claims.claim(job_id) is not None
    assert (statuses(world.api, queue, 1), statuses(world.api, flight, 1)) == ([202], [429])


def test_a_cancelled_job_is_in_flight_as_long_as_its_call_runs_on(world: KeyWorld) -> None:
    client, claims = world.limited(jobs_in_flight=1), world.api.worker.claims
    made = world.api.post(a_body(), **client).json
    job = claims.claim(UUID(made["job_id"]))
    assert job is not None
    call_id = claims.begin_call(job, job.route)
    assert call_id is not None
    assert world.api.http.post(made["urls"]["cancel"], headers=client).status_code == 200
    meanwhile = world.api.post(a_body(), **client)
    claims.end_call(job, ProviderCall(call_id, job.provider, job.model, now(), None, Usage()))
    assert meanwhile.status_code == 429
    assert meanwhile.json["violated-policies"] == ["jobs-in-flight"]
    assert world.api.post(a_body(), **client).status_code == 202


def test_the_keys_of_a_tenant_share_its_jobs(world: KeyWorld) -> None:
    world.keys.limit_tenant("acme", {"jobs_in_flight": 2})
    first, second = (bearer(world.key(tenant="acme", name=name)) for name in ("first", "second"))
    stranger = bearer(world.key(tenant="bolt"))
    assert statuses(world.api, first, 1) + statuses(world.api, second, 2) == [202, 202, 429]
    assert statuses(world.api, stranger, 1) == [202]


def test_processes_that_count_at_once_let_no_job_too_many_in(world: KeyWorld) -> None:
    secret = world.key(limits=Limits(jobs_in_flight=7))
    apis = [world.api, world.installation.open_api(world.settings)]
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda number: statuses(apis[number % 2], bearer(secret), 3), range(8))
    assert Counter(status for each in found for status in each) == {202: 7, 429: 17}


def test_a_refused_job_takes_none_of_the_others_along(world: KeyWorld) -> None:
    full, free = world.limited(jobs_in_flight=0), bearer(world.key(name="free"))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: statuses(world.api, (full, free)[number % 2], 3), range(8)))
    assert [{*each} for each in found] == [{429}, {202}] * 4


def test_jobs_that_wait_to_be_counted_keep_no_other_tenant_waiting(installation: Installation) -> None:
    world = KeyWorld(installation, DATABASE_POOL_SIZE="2")
    key, secret = world.made(tenant="acme", limits=Limits(queued_jobs=100))
    stranger = bearer(world.key(tenant="bolt"))
    with installation.database.begin(30) as connection, ThreadPoolExecutor(6) as pool:
        connection.execute(COUNTING, {"owner": f"acme/{key.id}"})
        for _ in range(6):
            pool.submit(statuses, world.api, bearer(secret), 1)
        eventually(lambda: connection.execute(WAITING).scalar_one())
        answered = [statuses(world.api, stranger, 1) for _ in range(8)]
    assert answered == [[202]] * 8
