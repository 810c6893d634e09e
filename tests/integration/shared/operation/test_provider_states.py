"""The state of the providers, in a real Valkey, as the gate writes it and the operator reads it."""

from collections.abc import Callable

from redis import Redis

from shared.config import Settings
from shared.domain.providers import SIMULATED
from shared.domain.routes import Route
from shared.jobs.job import Job
from shared.operation.operation import Operation
from shared.operation.providers import ModelState, ProviderState
from shared.provider_limits.gate import FAILURES_TO_OPEN, BreakerState
from tests.installation import Installation
from workers.bootstrap import WorkerServices

MODEL = "openai/gpt-oss-20b"


def groq(operation: Operation) -> ProviderState:
    (found,) = (each for each in operation.providers() or () if each.vendor == "groq")
    return found


def model(worker: WorkerServices) -> ModelState:
    (found,) = (each for each in groq(worker.operation).models if each.model == MODEL)
    return found


def test_every_provider_that_can_be_asked_is_there_with_its_models(worker: WorkerServices) -> None:
    found = worker.operation.providers() or ()
    assert [(each.provider, each.vendor) for each in found] == [(SIMULATED, "groq"), (SIMULATED, "huggingface")]
    assert all(each.models for each in found)
    assert model(worker) == ModelState(MODEL, BreakerState.CLOSED, 0, 0)


def test_a_provider_that_can_not_be_called_is_not_there(
    installation: Installation, configure: Callable[..., Settings]
) -> None:
    worker = installation.open_worker(configure(SIMULATOR_URL="", GROQ_API_KEY="gsk_secret"), installation.provider)
    assert [(each.provider, each.vendor) for each in worker.operation.providers() or ()] == [("groq", "groq")]


def test_an_open_breaker_and_a_pause_show_for_how_long(worker: WorkerServices, job: Job) -> None:
    gate, route = worker.services.gate, Route(SIMULATED, MODEL)
    permits = [gate.acquire(job, route) for _ in range(FAILURES_TO_OPEN)]
    gate.pause(permits[0], 30)
    for permit in permits:
        gate.failed(permit)
    found = model(worker)
    assert found.breaker is BreakerState.OPEN
    assert 0 < found.open_seconds <= 2
    assert 29 < found.paused_seconds <= 30


def test_a_limit_shows_what_is_used_of_it_and_who_waits(
    installation: Installation, configure: Callable[..., Settings], job: Job
) -> None:
    worker = installation.open_worker(configure(GROQ_REQUESTS_PER_MINUTE="1"), installation.provider)
    worker.services.gate.acquire(job, Route(SIMULATED, MODEL))
    with Redis.from_url(installation.settings.redis_cache_url) as client:
        ((_, now),) = client.zrange("askonce:slots:simulated:groq", 0, -1, withscores=True)
        client.zadd("askonce:slots:simulated:groq", {"another job": now + 60_000, "an old call": now - 62_000})
    found = groq(worker.operation)
    assert (found.requests_per_minute, found.calls_in_last_minute, found.waiting_for_limit) == (1, 1, 1)


def test_a_key_of_another_kind_fails_nobody(worker: WorkerServices, installation: Installation) -> None:
    with Redis.from_url(installation.settings.redis_cache_url) as client:
        client.set(f"askonce:breaker:{SIMULATED}:{MODEL}", "mine")
    assert worker.operation.providers() is None
    assert not worker.services.cache.l2.breaker.is_open


def test_nobody_knows_while_redis_is_away(installation: Installation, configure: Callable[..., Settings]) -> None:
    worker = installation.open_worker(configure(REDIS_CACHE_URL="redis://127.0.0.1:9/0"), installation.provider)
    assert (worker.operation.providers(), worker.operation.workers()) == (None, None)
