"""Limits of requests per minute: as clients meet them, and between processes."""

import json
import re
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import pytest
from redis import Redis

from api.limits.errors import QuotaExceeded
from api.limits.rates import PROCESSES, RequestRates
from local.servers.valkey import Valkey
from shared.breaker import Breaker
from shared.domain.limits import Limits
from shared.domain.request import Client
from shared.redis import REDIS_ERRORS, connect
from tests.installation import Installation
from tests.integration.api_client import a_body
from tests.integration.asking import new_text
from tests.integration.eventually import eventually
from tests.integration.front_client import fronts, json_call
from tests.integration.key_world import KeyWorld, bearer
from tests.integration.outages import frozen

Processes = Callable[..., RequestRates]


@pytest.fixture
def world(installation: Installation) -> KeyWorld:
    return KeyWorld(installation)


@pytest.fixture
def process(installation: Installation) -> Processes:
    """Return the rates of one more API process."""

    def opened(url: str = installation.settings.redis_cache_url, processes: int = 1) -> RequestRates:
        client = connect(url)
        breaker = Breaker("redis", REDIS_ERRORS, client.ping)
        rates = RequestRates(client, breaker, processes)
        installation.at_the_end.callback(breaker.close)
        installation.at_the_end.callback(rates.close)
        return rates

    return opened


def a_client(requests_per_minute: int) -> Client:
    return Client("a", "a", key_id=new_text(), limits=Limits(requests_per_minute=requests_per_minute))


@dataclass
class FastClock:
    """A clock that goes on whenever somebody looks, in uneven steps."""

    moment: float
    looks: int = 0

    def monotonic(self) -> float:
        self.looks += 1
        self.moment += 0.001 * (1 + self.looks**2 % 17)
        return self.moment


def let_through(rates: RequestRates, client: Client, times: int) -> int:
    """Return how many of so many requests one process lets through."""
    passed = 0
    for _ in range(times):
        with suppress(QuotaExceeded):
            rates.take(client)
            passed += 1
    return passed


def test_a_key_may_ask_as_often_as_its_limit_says(world: KeyWorld) -> None:
    client = world.limited(requests_per_minute=3)
    statuses = [world.api.post(a_body(), **client).status_code for _ in range(5)]
    assert statuses == [202, 202, 202, 429, 429]


def test_what_is_refused_otherwise_counts_too(world: KeyWorld) -> None:
    client = world.limited(requests_per_minute=2)
    statuses = [world.api.post(body, **client).status_code for body in ({"input": 1}, a_body(), a_body())]
    assert statuses == [422, 202, 429]


def test_a_refusal_names_the_limit_and_says_when_to_come_back(world: KeyWorld) -> None:
    client = world.limited(requests_per_minute=1)
    world.api.post(a_body(), **client)
    response = world.api.post(a_body(), **client)
    problem = response.json
    assert (response.status_code, problem["code"], problem["violated-policies"]) == (429, "quota_exceeded", ["rpm"])
    assert problem["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded"
    assert 1 <= int(response.headers["Retry-After"]) <= 60
    assert response.headers["RateLimit"].startswith('"rpm";r=0;t=')


def test_responses_say_how_many_requests_are_left(world: KeyWorld) -> None:
    client = world.limited(requests_per_minute=20)
    world.api.post(a_body(), **client)
    headers = world.api.post(a_body(), **client).headers
    assert headers["RateLimit-Policy"] == '"rpm";q=20;w=60'
    assert re.fullmatch(r'"rpm";r=18;t=(5[0-9]|60)', headers["RateLimit"])
    assert (headers["x-ratelimit-limit-requests"], headers["x-ratelimit-remaining-requests"]) == ("20", "18")
    assert re.fullmatch("(5[0-9]|60)s", headers["x-ratelimit-reset-requests"])


def test_a_client_without_limits_is_told_of_none(world: KeyWorld) -> None:
    response = world.api.post(a_body(), **bearer(world.key()))
    assert not [name for name, _ in response.headers if "ratelimit" in name.lower()]


def test_the_keys_of_a_tenant_share_its_limit(world: KeyWorld) -> None:
    world.keys.limit_tenant("acme", {"requests_per_minute": 3})
    first, second = (bearer(world.key(name=name, tenant="acme")) for name in ("first", "second"))
    statuses = [world.api.post(a_body(), **client).status_code for client in (first, second, first, second)]
    response = world.api.post(a_body(), **first)
    assert statuses == [202, 202, 202, 429]
    assert response.json["violated-policies"] == ["tenant-rpm"]


def test_a_refused_request_of_the_tenant_is_not_counted_for_the_key(world: KeyWorld) -> None:
    world.keys.limit_tenant("acme", {"requests_per_minute": 1})
    client = bearer(world.key(tenant="acme", limits=Limits(requests_per_minute=5)))
    for _ in range(3):
        response = world.api.post(a_body(), **client)
    assert response.headers["RateLimit"].startswith('"rpm";r=4;t=')


def test_a_limit_that_is_raised_holds_in_every_process(world: KeyWorld) -> None:
    other = world.another_process()
    key, text = world.made(limits=Limits(requests_per_minute=1))
    before = [other.post(a_body(), **bearer(text)).status_code for _ in range(2)]
    world.keys.change(key.id, {"limits": {"requests_per_minute": 3}})
    assert (before, other.post(a_body(), **bearer(text)).status_code) == ([202, 429], 202)


def test_a_limit_that_is_lowered_holds_at_once(world: KeyWorld) -> None:
    # A process has leased a hundredth of the limit before, and must not give that out.
    key, text = world.made(limits=Limits(requests_per_minute=100_000))
    other = world.another_process()
    first = other.post(a_body(), **bearer(text))
    world.keys.change(key.id, {"limits": {"requests_per_minute": 2}})
    statuses = [other.post(a_body(), **bearer(text)).status_code for _ in range(3)]
    assert (first.status_code, statuses) == (202, [429, 429, 429])


def test_refusals_are_counted_for_prometheus_and_recorded(world: KeyWorld) -> None:
    client = world.limited(requests_per_minute=1)
    for _ in range(3):
        world.api.post(a_body(), **client)
    assert 'askonce_limit_refusals_total{limit="rpm"} 2.0' in world.api.services.metrics.render().decode()
    assert world.api.records() == [("miss", 202), ("error", 429), ("error", 429)]


@pytest.mark.parametrize("limit", [1, 37, 150])
def test_a_small_limit_is_exact_across_processes(process: Processes, limit: int) -> None:
    client, processes = a_client(limit), [process() for _ in range(3)]
    with ThreadPoolExecutor(6) as pool:
        passed = pool.map(lambda number: let_through(processes[number % 3], client, limit), range(6))
    assert sum(passed) == limit


def test_a_large_limit_is_never_overrun_and_used_to_its_end(process: Processes) -> None:
    client, processes = a_client(1000), [process() for _ in range(3)]
    with ThreadPoolExecutor(6) as pool:
        passed = sum(pool.map(lambda number: let_through(processes[number % 3], client, 400), range(6)))
    for rates in processes:
        rates.close()
    assert passed <= 1000
    assert passed + let_through(process(), client, 1000) == 1000


def test_what_a_process_has_leased_in_vain_is_given_back(process: Processes, installation: Installation) -> None:
    client, rates = a_client(1000), process()
    rates.take(client)
    rates.loop.start()
    with Redis.from_url(installation.settings.redis_cache_url) as redis:
        eventually(lambda: redis.hget(f"askonce:rate:key:{client.key_id}", "used") == b"1")


def test_without_redis_each_process_lets_its_share_through(process: Processes, own_valkey: Valkey) -> None:
    client, rates = a_client(40), process(own_valkey.url(0), 4)
    with frozen(own_valkey):
        assert let_through(rates, client, 40) == 10


def test_a_share_counts_what_was_let_through_before_redis_went(process: Processes, own_valkey: Valkey) -> None:
    client, rates = a_client(40), process(own_valkey.url(0), 2)
    assert let_through(rates, client, 15) == 15
    with frozen(own_valkey):
        assert let_through(rates, client, 40) == 5


def test_processes_learn_how_many_share_a_limit(process: Processes, own_valkey: Valkey) -> None:
    client, first, second = a_client(40), process(own_valkey.url(0)), process(own_valkey.url(0))
    with Redis.from_url(own_valkey.url(0)) as redis:
        for number, rates in enumerate((first, second), 1):
            rates.loop.start()
            eventually(lambda number=number: redis.zcard(PROCESSES) == number)
    second.close()
    with frozen(own_valkey):
        assert let_through(second, client, 40) == 20


def test_most_hits_of_a_limited_key_ask_redis_nothing(world: KeyWorld) -> None:
    key = world.key(limits=Limits(requests_per_minute=60_000))
    services = world.api.services
    body = a_body()
    world.api.run(world.api.post(body, **bearer(key)), **bearer(key))
    with fronts(services) as (fast, _), Redis.from_url(services.settings.redis_cache_url) as redis:
        call = json_call(json.dumps(body).encode(), x_api_key=key)
        assert fast.call(call).status == 200
        before = scripts(redis)
        statuses = Counter(fast.call(call).status for _ in range(100))
        after = scripts(redis)
    assert (statuses, after, fast.by_flask) == ({200: 100}, before, 0)


def scripts(redis: "Redis") -> int:
    return int(redis.info("commandstats").get("cmdstat_evalsha", {}).get("calls", 0))  # type: ignore[union-attr]  # not awaitable here


def test_a_limit_holds_however_late_the_clock_is_looked_at_again(
    process: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates, client = process(), a_client(5)
    assert let_through(rates, client, 6) == 5
    clock = FastClock(time.monotonic())
    for module in ("rates", "windows"):
        monkeypatch.setattr(f"api.limits.{module}.time", clock)
    assert let_through(rates, client, 1000) == 0
