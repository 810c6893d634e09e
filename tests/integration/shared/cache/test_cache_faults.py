"""What clients get while a tier is slow, talks nonsense, breaks off or forgets: the right answer, or a miss."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from redis import Redis

from local.servers.valkey import Valkey
from shared.breaker import FAILURES_TO_OPEN
from shared.config import Settings
from tests.installation import Installation
from tests.integration.api_client import Api, a_body, forget_in_memcached
from tests.integration.bad_line import BadLine, Spoil, bad_line, broken, garbled, halved, slow
from tests.integration.eventually import eventually
from tests.integration.fake_provider import POSITIVE
from tests.servers import Servers

SPOILS = {"slow": slow, "garbled": garbled, "breaking off": broken, "breaking off half way": halved}
OTHER = {"memcached": "redis", "redis": "memcached"}


@dataclass
class World:
    """An API with a bad line to one of its tiers, and an answer that both tiers hold."""

    api: Api
    line: BadLine
    tier: str
    body: dict[str, object]

    def ask(self) -> tuple[int, str | None, object]:
        response = self.api.post(self.body)
        return response.status_code, response.json["cache"]["tier"], response.json["result"]


@pytest.fixture(params=["memcached", "redis"])
def world(request: pytest.FixtureRequest, servers: Servers, installation: Installation) -> Iterator[World]:
    tier = request.param
    port = int((servers.memcached.address if tier == "memcached" else servers.valkey.address).rpartition(":")[2])
    with ExitStack() as stack:
        line = stack.enter_context(bad_line(("127.0.0.1", port)))
        url = servers.valkey.url(0).replace(f":{port}/", f":{line.port}/")
        changed = {"MEMCACHED_SERVERS": line.address} if tier == "memcached" else {"REDIS_CACHE_URL": url}
        api = installation.open_api(installation.configure(**changed))
        body = api.answered()
        yield World(api, line, tier, body)
        line.mend()


def down(world: World) -> bool:
    breakers = [*world.api.services.cache.l1.breakers, *world.api.services.cache.l2.breakers]
    return any(breaker.is_open for breaker in breakers)


@pytest.mark.parametrize("spoil", SPOILS.values(), ids=SPOILS)
def test_the_healthy_tier_answers_while_the_other_is_bad(world: World, spoil: Spoil) -> None:
    world.line.spoil = spoil
    for _ in range(FAILURES_TO_OPEN + 2):
        if world.tier == "redis":
            assert world.ask() == (200, "memcached", POSITIVE.result)
        else:
            status, _, result = world.ask()
            assert (status, result) == (200, POSITIVE.result)


@pytest.mark.parametrize("spoil", SPOILS.values(), ids=SPOILS)
def test_a_bad_tier_is_left_alone_after_a_few_calls_and_used_again_once_it_is_well(world: World, spoil: Spoil) -> None:
    world.line.spoil = spoil
    unknown = a_body()

    def ask_until_down() -> bool:
        world.api.post(unknown, cache_control="only-if-cached")
        return down(world)

    eventually(ask_until_down)
    world.line.mend()
    eventually(lambda: not down(world))
    response = world.api.post(unknown, cache_control="only-if-cached")
    assert response.headers["Cache-Status"] == "redis; fwd=uri-miss, memcached; fwd=uri-miss"


@pytest.mark.parametrize("spoil", SPOILS.values(), ids=SPOILS)
def test_a_new_question_is_answered_though_a_tier_is_bad(world: World, spoil: Spoil) -> None:
    world.line.spoil = spoil
    response = world.api.post(a_body())
    assert response.status_code == 202
    assert world.api.run(response)["result"] == POSITIVE.result


def test_what_memcached_evicts_redis_still_has(api: Api) -> None:
    body = api.answered()
    forget_in_memcached(api, api.post(body))
    assert api.post(body).json["cache"]["tier"] == "redis"


def test_what_both_tiers_evict_is_asked_again(
    own_valkey: Valkey, open_api: Callable[[Settings], Api], configure: Callable[..., Settings]
) -> None:
    api = open_api(configure(REDIS_CACHE_URL=own_valkey.url(0), L1_TTL_SECONDS="0"))
    body = api.answered()
    with Redis.from_url(own_valkey.url(0)) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("maxmemory", "3mb")
        for number in range(400):
            client.set(f"filler {number}", b"x" * 20_000, ex=600)
    assert api.post(body).status_code == 202
