"""What Redis may forget when its memory is full, and what not."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import yaml
from redis import Redis

from local.servers.valkey import Valkey
from shared.config import Settings
from shared.provider_limits.gate import FAILURES_TO_OPEN
from shared.request_log.overflow import LENGTH, STREAM
from tests.checkout import CHECKOUT
from tests.integration.api_client import Api, a_body
from tests.integration.records import records

MEGABYTE = 1024 * 1024
STAYS = {STREAM.encode(), LENGTH.encode()}


def keys(client: "Redis[Any]") -> dict[bytes, int]:
    """Return the time to live of every key, -1 for none."""
    return {key: client.ttl(key) for key in client.scan_iter()}


def use_the_gate(api: Api) -> None:
    """Let a provider be limited, ask to wait, and fail until its breaker opens."""
    job = api.services.jobs.get(UUID(api.post(a_body()).json["job_id"]))
    permits = [api.services.gate.acquire(job, job.route) for _ in range(FAILURES_TO_OPEN)]
    for permit in permits:
        api.services.gate.failed(permit)
    api.services.gate.pause(permits[0], 60)


def test_only_what_waits_for_postgresql_has_no_ttl(
    open_api: Callable[[Settings], Api], configure: Callable[..., Settings]
) -> None:
    settings = configure(GROQ_REQUESTS_PER_MINUTE="100")
    api = open_api(settings)
    purged, kept = api.answered(), api.answered()
    api.http.delete(f"/api/v1/cache/{api.post(purged).json['cache']['key']}")
    assert api.post(kept).status_code == 200
    api.services.notifier.acknowledge("some purge")
    use_the_gate(api)
    api.services.request_overflow.add(records(1))
    with Redis.from_url(settings.redis_cache_url) as client:
        found = keys(client)
    assert {key for key, ttl in found.items() if ttl == -1} == STAYS
    kinds = {key.split(b":")[1] for key in found}
    assert kinds == {b"answer", b"acknowledged", b"breaker", b"pause", b"slots", b"overflow"}


def test_waiting_records_outlive_a_memory_that_is_full(
    own_valkey: Valkey, open_api: Callable[[Settings], Api], configure: Callable[..., Settings]
) -> None:
    overflow = open_api(configure(REDIS_CACHE_URL=own_valkey.url(0))).services.request_overflow
    for _ in range(10):
        assert overflow.add(records(100))
    with Redis.from_url(own_valkey.url(0)) as client:
        client.config_set("maxmemory", client.info("memory")["used_memory"] + MEGABYTE)
        for number in range(1000):
            client.set(f"askonce:answer:default:chat:{number}", b"x" * 10_000, ex=3600)
        assert client.info("stats")["evicted_keys"] > 0
        assert client.exists(STREAM, LENGTH) == len(STAYS)
    assert overflow.length() == 1000
    assert overflow.add(records(1))


def test_the_containers_redis_forgets_only_what_has_a_ttl() -> None:
    compose = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())
    command: list[str] = compose["services"]["redis-cache"]["command"]
    assert command[command.index("--maxmemory-policy") + 1] == "volatile-lru"
