from redis import Redis

from shared.operation.workers import LATE_SECONDS, WorkerState
from shared.times import now
from tests.installation import Installation
from tests.integration.api_client import Api, a_body
from tests.integration.key_world import KeyWorld, bearer


def test_the_overview_has_what_waits_in_each_queue(api: Api) -> None:
    api.post(a_body())
    queues = {each["queue"]: each for each in api.get("/api/v1/overview").json["queues"]}
    assert queues.keys() == {"text", "image"}
    assert [queues["text"][name] for name in ("waiting", "due", "delayed", "running")] == [1, 1, 0, 0]
    assert (queues["text"]["oldest_due_seconds"] > 0, queues["image"]["waiting"]) == (True, 0)


def test_the_overview_has_each_provider_with_the_breakers_of_its_models(api: Api) -> None:
    providers = api.get("/api/v1/overview").json["providers"]
    assert {each["vendor"] for each in providers} == {"groq", "huggingface"}
    assert {model["breaker"] for each in providers for model in each["models"]} == {"closed"}


def test_the_overview_has_the_workers_that_are_alive(api: Api) -> None:
    started = now()
    api.services.operation.board.say(WorkerState("text@here", "text", slots=16, running=3, started_at=started))
    (worker,) = api.get("/api/v1/overview").json["workers"]
    assert [worker[name] for name in ("name", "queue", "slots", "running")] == ["text@here", "text", 16, 3]
    assert not worker["late"]


def test_a_worker_that_has_missed_a_word_is_late_before_it_is_taken_for_dead(api: Api) -> None:
    board = api.services.operation.board
    board.say(WorkerState("text@here", "text", slots=16, running=3, started_at=now()))
    with Redis.from_url(api.services.settings.redis_cache_url) as redis:
        redis.zincrby("askonce:workers:beats", -LATE_SECONDS, "text@here")
    (worker,) = api.get("/api/v1/overview").json["workers"]
    assert (worker["late"], worker["running"]) == (True, 3)


def test_the_overview_is_for_admins_because_it_is_of_all_tenants(installation: Installation) -> None:
    world = KeyWorld(installation)
    statuses = {
        scope: world.api.get("/api/v1/overview", **bearer(world.key(scope))).status_code for scope in ("read", "admin")
    }
    assert statuses == {"read": 403, "admin": 200}
