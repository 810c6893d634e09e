"""What a hit costs in round trips, as the servers count them: a guard that no busy machine can upset."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from api.bootstrap import ApiServices
from shared.domain.request import TextInput
from tests.installation import Installation
from tests.integration.asking import address, an_answer, ask, new_text
from tests.integration.front_client import FrontClient, fronts

HITS = 10


@pytest.fixture
def fast(installation: Installation) -> Iterator[FrontClient]:
    with fronts(installation.services) as (fast, _):
        yield fast


@pytest.fixture
def body(installation: Installation) -> bytes:
    """A body whose answer both tiers hold."""
    services = installation.services
    request = ask(services.settings, given=TextInput(new_text()))
    services.cache.store(address(request), an_answer())
    return json.dumps({"task_type": "sentiment", "input": request.input.as_body()}).encode()


def test_a_hit_of_the_first_tier_is_one_get(
    fast: FrontClient, body: bytes, commands: Callable[[], Counter[str]]
) -> None:
    assert fast.post(body).header("cache-status") == "memcached; hit; ttl=299"
    before = commands()
    for _ in range(HITS):
        assert fast.post(body).status == 200
    assert commands() - before == {"cmd_get": HITS}


def test_a_hit_of_the_second_tier_after_one_of_the_first_is_a_get_of_each_more_and_a_copy(
    fast: FrontClient, body: bytes, commands: Callable[[], Counter[str]], services: ApiServices
) -> None:
    def hit_of_redis() -> dict[str, Any]:
        key = json.loads(fast.post(body).body)["cache"]["key"]
        services.cache.l1.delete([f"askonce:answer:default:sentiment:{key}"])
        cache: dict[str, Any] = json.loads(fast.post(body).body)["cache"]
        return cache

    hit_of_redis()
    before = commands()
    assert hit_of_redis()["tier"] == "redis"
    assert commands() - before == {"cmd_get": 2, "cmd_set": 1, "cmdstat_get": 1}
