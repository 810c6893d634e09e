"""The API while a server is dead or frozen: no accepted job is lost, no client waits long."""

import base64
import json
import time
from collections.abc import Callable

import pytest
from redis import Redis

from local.servers.memcached import MemcachedServer
from local.servers.valkey import Valkey
from shared.config import Settings
from tests.installation import Installation
from tests.integration.api_client import Api, a_body
from tests.integration.asking import row
from tests.integration.eventually import eventually
from tests.integration.outages import database_away, frozen

PROMISED_SECONDS = 2.0
SLOW_MACHINE_SECONDS = 4.0
RECOVERY_SECONDS = 8


@pytest.fixture
def with_own_broker(own_valkey: Valkey, installation: Installation) -> Api:
    """An API that has published once to the test's own broker."""
    api = installation.open_api(installation.configure(CELERY_BROKER_URL=own_valkey.url(1)))
    api.post(a_body())
    return api


def is_published(api: Api, valkey: Valkey, job_id: str) -> bool:
    """Let maintenance sweep, then look for the job on its queue."""
    api.worker.maintenance.sweep_jobs()
    with Redis.from_url(valkey.url(1)) as broker:
        bodies = [json.loads(message)["body"] for message in broker.lrange("text", 0, -1)]
    return any(job_id in base64.b64decode(body).decode() for body in bodies)


def timed_post(api: Api) -> tuple[int, float]:
    started = time.monotonic()
    status = api.post(a_body()).status_code
    return status, time.monotonic() - started


def test_a_job_is_accepted_while_the_broker_is_down(with_own_broker: Api, own_valkey: Valkey) -> None:
    own_valkey.kill()
    status, seconds = timed_post(with_own_broker)
    assert status == 202
    assert seconds < PROMISED_SECONDS + SLOW_MACHINE_SECONDS


def test_a_job_is_accepted_while_the_broker_is_frozen(with_own_broker: Api, own_valkey: Valkey) -> None:
    with frozen(own_valkey):
        status, seconds = timed_post(with_own_broker)
    assert status == 202
    assert seconds < PROMISED_SECONDS + SLOW_MACHINE_SECONDS


def test_a_first_job_is_accepted_while_the_broker_is_frozen(
    own_valkey: Valkey, open_api: Callable[[Settings], Api], configure: Callable[..., Settings]
) -> None:
    api = open_api(configure(CELERY_BROKER_URL=own_valkey.url(1)))
    with frozen(own_valkey):
        status, seconds = timed_post(api)
    assert status == 202
    assert seconds < PROMISED_SECONDS + SLOW_MACHINE_SECONDS


def test_a_job_is_accepted_while_cache_and_broker_are_one_frozen_server(
    own_valkey: Valkey, open_api: Callable[[Settings], Api], configure: Callable[..., Settings]
) -> None:
    api = open_api(configure(CELERY_BROKER_URL=own_valkey.url(1), REDIS_CACHE_URL=own_valkey.url(0)))
    api.post(a_body())
    with frozen(own_valkey):
        status, seconds = timed_post(api)
    assert status == 202
    assert seconds < PROMISED_SECONDS + SLOW_MACHINE_SECONDS


def test_a_job_whose_broker_was_down_is_due_at_once(with_own_broker: Api, own_valkey: Valkey) -> None:
    own_valkey.kill()
    job_id = with_own_broker.post(a_body()).json["job_id"]
    due = row(
        with_own_broker.services.database, "SELECT publish_at <= now() AS due FROM jobs WHERE id = :id", id=job_id
    )
    assert due.due


def test_a_job_whose_broker_was_down_is_published_once_it_is_back(with_own_broker: Api, own_valkey: Valkey) -> None:
    own_valkey.kill()
    job_id = with_own_broker.post(a_body()).json["job_id"]
    own_valkey.start()
    eventually(lambda: is_published(with_own_broker, own_valkey, job_id), RECOVERY_SECONDS)


def test_a_broken_broker_costs_nothing_after_a_few_failures(with_own_broker: Api, own_valkey: Valkey) -> None:
    with frozen(own_valkey):
        for _ in range(3):
            timed_post(with_own_broker)
        assert min(timed_post(with_own_broker)[1] for _ in range(5)) < 0.5


def test_answers_are_served_while_postgresql_is_away(api: Api, settings: Settings) -> None:
    body = api.answered()
    with database_away(settings.database_url):
        assert api.post(body).status_code == 200


def test_a_miss_is_503_while_postgresql_is_away(api: Api, settings: Settings) -> None:
    with database_away(settings.database_url):
        response = api.post(a_body())
    assert (response.status_code, response.json["code"]) == (503, "database_unavailable")
    assert "no new job can be accepted" in response.json["detail"]
    assert "Retry-After" in response.headers


def test_what_happened_while_postgresql_was_away_is_recorded_afterwards(api: Api, settings: Settings) -> None:
    body = api.answered()
    with database_away(settings.database_url):
        api.post(body)
        api.post(a_body())
        api.services.request_log.flush()
    api.worker.maintenance.drain_overflow()
    assert api.records() == [("miss", 202), ("memcached", 200), ("error", 503)]


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/api/v1/statistics"])
def test_reading_is_503_while_postgresql_is_away(api: Api, settings: Settings, path: str) -> None:
    with database_away(settings.database_url):
        response = api.get(path)
    assert (response.status_code, response.json["code"]) == (503, "database_unavailable")
    assert "can't be read now" in response.json["detail"]


def test_jobs_are_accepted_while_both_tiers_are_down(
    open_api: Callable[[Settings], Api], configure: Callable[..., Settings]
) -> None:
    api = open_api(configure(MEMCACHED_SERVERS="127.0.0.1:9", REDIS_CACHE_URL="redis://127.0.0.1:9/0"))
    response = api.post(a_body())
    assert response.status_code == 202
    assert response.headers["Cache-Status"] == "redis; fwd=miss; detail=down, memcached; fwd=miss; detail=down"


def test_a_frozen_memcached_is_not_felt(
    own_memcached: MemcachedServer, open_api: Callable[[Settings], Api], configure: Callable[..., Settings]
) -> None:
    api = open_api(configure(MEMCACHED_SERVERS=own_memcached.address))
    body = api.answered()
    with frozen(own_memcached):
        started = time.monotonic()
        response = api.post(body)
        seconds = time.monotonic() - started
    assert (response.status_code, response.json["cache"]["tier"]) == (200, "redis")
    assert seconds < SLOW_MACHINE_SECONDS


@pytest.mark.parametrize("outage", ["killed", "frozen"])
def test_after_a_purge_no_process_serves_old_answers_though_valkey_is_gone(
    own_valkey: Valkey, open_api: Callable[[Settings], Api], configure: Callable[..., Settings], outage: str
) -> None:
    settings = configure(REDIS_CACHE_URL=own_valkey.url(0))
    first, second = open_api(settings), open_api(settings)
    for api in (first, second):
        api.listen()
    body = first.answered()
    assert second.post(body).status_code == 200
    if outage == "killed":
        own_valkey.kill()
        first.http.delete("/api/v1/cache?task_type=sentiment")
        status = second.post(body).status_code
    else:
        with frozen(own_valkey):
            first.http.delete("/api/v1/cache?task_type=sentiment")
            status = second.post(body).status_code
    assert status == 202


def test_after_a_purge_no_process_serves_old_answers(settings: Settings, open_api: Callable[[Settings], Api]) -> None:
    first, second = open_api(settings), open_api(settings)
    for api in (first, second):
        api.listen()
    body = first.answered()
    assert second.post(body).status_code == 200
    first.http.delete("/api/v1/cache?task_type=sentiment")
    assert second.post(body).status_code == 202
