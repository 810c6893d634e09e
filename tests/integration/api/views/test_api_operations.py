"""What operators and tools use: purge, statistics, the catalogue, health, metrics, the API's own description."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
from redis import Redis

from api.bootstrap import build_api
from api.purging import MAX_PURGES, MAX_PURGES_OF_ONE
from local.servers.memcached import MemcachedServer
from shared.config import Settings
from shared.domain.registry import TASK_TYPES
from shared.operation.workers import WorkerState
from shared.times import now
from tests.installation import Installation
from tests.integration.api_client import Api, a_body
from tests.integration.apps import lent_app
from tests.integration.eventually import eventually
from tests.integration.fake_provider import FakeProvider
from tests.integration.outages import database_away
from workers.bootstrap import build_worker

NOBODY = "127.0.0.1:9"


@pytest.fixture
def abandoned(installation: Installation) -> Callable[..., Api]:
    """An API that serves, with some of its servers gone."""

    def build(**variables: str) -> Api:
        api = installation.open_api(installation.configure(**variables))
        api.services.lifecycle.started()
        return api

    return build


@pytest.fixture
def healthless(installation: Installation) -> Iterator[Callable[..., Api]]:
    """Like `abandoned`, where even the database may be gone; purges are then not known."""
    with ExitStack() as stack:

        def build(**variables: str) -> Api:
            services = build_api(installation.configure(**variables))
            stack.callback(services.close)
            services.lifecycle.started()
            worker = build_worker(installation.settings)
            stack.callback(worker.close)
            return Api(services, worker, FakeProvider(), stack.enter_context(lent_app(services)))

        yield build


def states(api: Api) -> dict[str, str]:
    dependencies = api.get("/api/v1/health").json["dependencies"]
    return {name: dependency["state"] for name, dependency in dependencies.items()}


def test_a_purged_task_type_is_asked_anew(api: Api) -> None:
    body = api.answered()
    response = api.http.delete("/api/v1/cache?task_type=sentiment")
    assert (response.status_code, response.json["purged"]) == (200, 1)
    assert api.post(body).status_code == 202


def test_a_purge_of_one_task_type_leaves_the_others(api: Api) -> None:
    body = api.answered(task_type="chat")
    api.http.delete("/api/v1/cache?task_type=sentiment")
    assert api.post(body).status_code == 200


def test_answers_after_a_purge_are_kept(api: Api) -> None:
    api.http.delete("/api/v1/cache?task_type=sentiment")
    assert api.post(api.answered()).status_code == 200


def test_a_purged_key_is_asked_anew(api: Api) -> None:
    body = api.answered()
    key = api.post(body).json["cache"]["key"]
    response = api.http.delete(f"/api/v1/cache/{key}")
    assert (response.status_code, response.json["purged"]) == (200, 1)
    assert api.post(body).status_code == 202


def test_purging_an_unknown_key_is_200_and_nothing(api: Api) -> None:
    response = api.http.delete(f"/api/v1/cache/{'0' * 64}")
    assert (response.status_code, response.json["purged"]) == (200, 0)


def test_a_key_cant_be_purged_while_a_tier_is_down(abandoned: Callable[..., Api]) -> None:
    response = abandoned(MEMCACHED_SERVERS=NOBODY).http.delete(f"/api/v1/cache/{'0' * 64}")
    assert (response.status_code, response.json["code"]) == (503, "tier_unavailable")


def test_so_many_purges_at_once_are_run_and_no_more(api: Api) -> None:
    with ThreadPoolExecutor(MAX_PURGES + 4) as pool:
        purges = [pool.submit(api.http.delete, "/api/v1/cache?task_type=sentiment") for _ in range(MAX_PURGES + 4)]
        responses = [purge.result() for purge in purges]
    assert {response.status_code for response in responses} == {200, 503}
    assert Counter(response.status_code for response in responses)[200] >= MAX_PURGES_OF_ONE
    refused = next(response for response in responses if response.status_code == 503)
    assert (refused.json["code"], refused.headers["Retry-After"]) == ("unavailable", "5")
    assert api.http.delete("/api/v1/cache?task_type=sentiment").status_code == 200


def test_a_dry_run_counts_what_a_purge_of_a_task_type_would_delete_and_deletes_nothing(api: Api) -> None:
    body = api.answered()
    api.answered(task_type="chat")
    counted = api.http.delete("/api/v1/cache?task_type=sentiment&dry_run=true").json
    assert counted == {"purged": 0, "dry_run": True, "task_type": "sentiment", "answers": 1, "bytes": counted["bytes"]}
    assert counted["bytes"] == len(held_in_redis(api, "sentiment"))
    assert api.post(body).status_code == 200


def test_a_dry_run_finds_the_answer_of_a_key_in_both_tiers_and_leaves_it(api: Api) -> None:
    body = api.answered()
    key = api.post(body).json["cache"]["key"]
    counted = api.http.delete(f"/api/v1/cache/{key}?dry_run=true").json
    assert (counted["purged"], counted["answers"], counted["tiers"]) == (0, 1, {"redis": 1, "memcached": 1})
    # They differ in when they expire.
    assert counted["bytes"] == pytest.approx(2 * len(held_in_redis(api, "sentiment")), abs=10)
    assert api.post(body).status_code == 200


def test_a_dry_run_does_not_count_what_was_purged(api: Api) -> None:
    key = api.post(api.answered()).json["cache"]["key"]
    api.http.delete(f"/api/v1/cache/{key}?dry_run=false")
    of_type = api.http.delete("/api/v1/cache?task_type=sentiment&dry_run=true").json
    of_key = api.http.delete(f"/api/v1/cache/{key}?dry_run=true").json
    assert [(found["answers"], found["bytes"]) for found in (of_type, of_key)] == [(0, 0), (0, 0)]


def test_a_dry_run_without_redis_counts_nothing_of_a_task_type_and_is_503_for_a_key(
    abandoned: Callable[..., Api],
) -> None:
    api = abandoned(REDIS_CACHE_URL=f"redis://{NOBODY}/0")
    counted = api.http.delete("/api/v1/cache?task_type=sentiment&dry_run=true").json
    assert (counted["answers"], counted["bytes"]) == (None, None)
    assert api.http.delete(f"/api/v1/cache/{'0' * 64}?dry_run=true").status_code == 503


def held_in_redis(api: Api, task_type: str) -> bytes:
    """Return the only entry of a task type."""
    with Redis.from_url(api.services.settings.redis_cache_url) as redis:
        (key,) = redis.keys(f"askonce:answer:*:{task_type}:*")
        return redis.get(key)


@pytest.mark.parametrize("query", ["", "?task_type=magic", "?task_type=chat&x=1", "?task_type=chat&dry_run=perhaps"])
def test_a_purge_must_name_a_task_type(api: Api, query: str) -> None:
    assert api.http.delete(f"/api/v1/cache{query}").status_code == 422


def test_the_catalogue_lists_every_task(api: Api) -> None:
    tasks = api.get("/api/v1/tasks").json["tasks"]
    assert [task["task_type"] for task in tasks] == [task_type.name for task_type in TASK_TYPES]
    assert all(task["model"] in task["models"] for task in tasks)
    assert {task["queue"] for task in tasks} == {"text", "image"}


def test_options_are_described_as_json_schema(api: Api) -> None:
    tasks = {task["task_type"]: task for task in api.get("/api/v1/tasks").json["tasks"]}
    top_k = tasks["image_classification"]["options"]["properties"]["top_k"]
    assert (top_k["type"], top_k["minimum"], top_k["maximum"], top_k["default"]) == ("integer", 1, 100, 5)


def test_all_is_well(api: Api) -> None:
    health = api.get("/api/v1/health")
    assert (health.status_code, health.json["status"]) == (200, "ok")
    assert states(api) == dict.fromkeys(("postgres", "memcached", "redis", "broker"), "up")


def test_a_server_that_stopped_is_down(
    own_memcached: MemcachedServer, open_api: Callable[[Settings], Api], configure: Callable[..., Settings]
) -> None:
    api = open_api(configure(MEMCACHED_SERVERS=own_memcached.address))
    before = states(api)["memcached"]
    own_memcached.kill()
    eventually(lambda: states(api)["memcached"] == "down")
    health = api.get("/api/v1/health")
    assert (before, health.status_code, health.json["status"]) == ("up", 200, "degraded")
    assert health.json["dependencies"]["memcached"] == {"state": "down", "latency_ms": None}


@pytest.mark.parametrize(
    ("name", "variable", "url"),
    [
        ("postgres", "DATABASE_URL", f"postgresql://{NOBODY}/nothing"),
        ("redis", "REDIS_CACHE_URL", f"redis://{NOBODY}/0"),
        ("broker", "CELERY_BROKER_URL", f"redis://{NOBODY}/0"),
    ],
)
def test_each_dependency_is_looked_at_on_its_own(
    healthless: Callable[..., Api], name: str, variable: str, url: str
) -> None:
    down = [dependency for dependency, state in states(healthless(**{variable: url})).items() if state == "down"]
    assert down == [name]


def test_being_alive_touches_no_dependency(healthless: Callable[..., Api]) -> None:
    api = healthless(
        DATABASE_URL=f"postgresql://{NOBODY}/nothing",
        REDIS_CACHE_URL=f"redis://{NOBODY}/0",
        MEMCACHED_SERVERS=NOBODY,
    )
    assert api.get("/api/v1/health/live").status_code == 200


def test_a_starting_process_is_not_ready(api: Api) -> None:
    response = api.get("/api/v1/health/ready")
    assert (response.status_code, response.json["code"]) == (503, "not_ready")


def test_a_serving_process_is_ready(abandoned: Callable[..., Api]) -> None:
    assert abandoned().get("/api/v1/health/ready").status_code == 200


def test_a_stopping_process_is_not_ready(abandoned: Callable[..., Api]) -> None:
    api = abandoned()
    api.services.lifecycle.stopping()
    assert api.get("/api/v1/health/ready").status_code == 503


def test_a_process_with_one_tier_left_is_ready(abandoned: Callable[..., Api], settings: Settings) -> None:
    api = abandoned(REDIS_CACHE_URL=f"redis://{NOBODY}/0")
    with database_away(settings.database_url):
        assert api.get("/api/v1/health/ready").status_code == 200


def test_a_process_that_can_answer_nothing_is_not_ready(abandoned: Callable[..., Api], settings: Settings) -> None:
    api = abandoned(REDIS_CACHE_URL=f"redis://{NOBODY}/0", MEMCACHED_SERVERS=NOBODY)
    with database_away(settings.database_url):
        assert api.get("/api/v1/health/ready").status_code == 503


def test_a_process_that_knows_of_no_purges_is_not_ready(healthless: Callable[..., Api]) -> None:
    api = healthless(DATABASE_URL=f"postgresql://{NOBODY}/nothing")
    assert api.get("/api/v1/health/ready").status_code == 503


def test_metrics_count_calls_of_predict(api: Api) -> None:
    api.post(a_body())
    response = api.get("/metrics")
    assert response.content_type.startswith("text/plain; version=0.0.4")
    assert 'askonce_requests_total{outcome="miss",status="202",task_type="sentiment"} 1.0' in response.text


def test_metrics_of_all_have_those_of_workers_too(api: Api) -> None:
    worker = WorkerState("text@host-1a2b3c", "text", slots=16, running=0, started_at=now())
    api.services.operation.board.say(worker, b"# TYPE askonce_x counter\naskonce_x_total 7.0\n")
    found = api.get("/metrics/all").text
    assert 'askonce_x_total{worker="text@host-1a2b3c"} 7.0' in found
    assert "askonce_waiters 0.0" in found
    assert "askonce_x_total" not in api.get("/metrics").text


def test_metrics_show_a_server_that_is_down(abandoned: Callable[..., Api]) -> None:
    api = abandoned(REDIS_CACHE_URL=f"redis://{NOBODY}/0")
    for _ in range(3):
        api.post(a_body())
    assert 'askonce_cache_server_down{server="redis"} 1.0' in api.get("/metrics").text


def test_the_api_describes_itself_as_openapi_3_1(api: Api) -> None:
    document = api.get("/openapi.json").json
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert {"title", "version"} <= set(document["info"])


def test_every_path_is_described(api: Api) -> None:
    paths = {path: {*methods} - {"parameters"} for path, methods in api.get("/openapi.json").json["paths"].items()}
    assert paths == {
        "/api/v1/predict": {"post"},
        "/api/v1/explain": {"post"},
        "/api/v1/explain/chat/completions": {"post"},
        "/api/v1/explain/responses": {"post"},
        "/api/v1/explain/embeddings": {"post"},
        "/api/v1/jobs": {"get"},
        "/api/v1/jobs/{job_id}": {"get"},
        "/api/v1/jobs/{job_id}/provider_calls": {"get"},
        "/api/v1/jobs/{job_id}/retry": {"post"},
        "/api/v1/overview": {"get"},
        "/api/v1/jobs/{job_id}/cancel": {"post"},
        "/api/v1/requests": {"get"},
        "/api/v1/requests/{request_id}": {"get"},
        "/api/v1/statistics": {"get"},
        "/api/v1/tasks": {"get"},
        "/api/v1/health": {"get"},
        "/api/v1/health/live": {"get"},
        "/api/v1/health/ready": {"get"},
        "/api/v1/keys": {"get", "post"},
        "/api/v1/keys/{key_id}": {"get", "patch", "delete"},
        "/api/v1/keys/{key_id}/rotate": {"post"},
        "/api/v1/limits": {"get"},
        "/api/v1/tenants": {"get"},
        "/api/v1/tenants/{tenant}": {"get", "patch"},
        "/api/v1/cache": {"delete"},
        "/api/v1/cache/{key}": {"delete"},
        "/v1/chat/completions": {"post"},
        "/v1/embeddings": {"post"},
        "/v1/models": {"get"},
        "/v1/models/{name}": {"get"},
        "/v1/responses": {"post"},
        "/v1/responses/{response_id}": {"get", "delete"},
        "/v1/responses/{response_id}/cancel": {"post"},
        "/v1/responses/{response_id}/input_items": {"get"},
    }


def test_every_reference_of_the_description_leads_somewhere(api: Api) -> None:
    document = api.get("/openapi.json").json
    references = list(_references(document))
    assert references
    for reference in references:
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]


def test_every_operation_has_a_summary_and_responses(api: Api) -> None:
    for methods in api.get("/openapi.json").json["paths"].values():
        for method in {*methods} - {"parameters"}:
            assert methods[method]["summary"]
            assert methods[method]["responses"]


def test_the_description_of_predict_has_every_task(api: Api) -> None:
    document = api.get("/openapi.json").json
    body = document["paths"]["/api/v1/predict"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    names = [each["$ref"].rpartition("/")[2] for each in body["oneOf"]]
    asked = [document["components"]["schemas"][name]["properties"]["task_type"]["const"] for name in names]
    assert asked == [task_type.name for task_type in TASK_TYPES]


def test_the_docs_need_no_other_server(api: Api) -> None:
    page = api.get("/docs")
    assert page.status_code == 200
    assert not re.search(r"(?:src|href)\s*=\s*[\"']?(?:https?:)?//", page.text)
    assert "http" not in re.sub(r"http://localhost[^\"]*", "", page.text)


def test_every_asset_of_the_docs_is_served(api: Api) -> None:
    assets = re.findall(r'(?:src|href)="([^"]+)"', api.get("/docs").text)
    assert assets
    for asset in assets:
        with api.get(asset) as response:
            assert (response.status_code, len(response.data) > 0) == (200, True)


def test_no_file_outside_the_assets_is_served(api: Api) -> None:
    assert api.get("/docs/assets/../../__init__.py").status_code == 404


def test_responses_may_not_be_kept_by_others(api: Api) -> None:
    assert api.get("/api/v1/tasks").headers["Cache-Control"] == "no-store"


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for child in node.values():
            yield from _references(child)
    elif isinstance(node, list):
        for child in node:
            yield from _references(child)


def test_the_description_is_plain_json(api: Api) -> None:
    assert json.loads(api.get("/openapi.json").data)
