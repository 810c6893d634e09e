"""Keys on the fast path of predict, beside Flask's view of it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from api.front.front import STRANGERS_BYTES
from api.request_log.records import RequestRecord
from shared.domain.limits import Limits
from shared.times import now
from tests.installation import Installation
from tests.integration.asking import an_answer
from tests.integration.fast_path_world import HELD_BY_BOTH, NOWHERE, World, address_of, seen
from tests.integration.front_client import Received, fronts, json_call
from tests.integration.key_world import KeyWorld

pytestmark = pytest.mark.usefixtures("patient_tiers")

KEYS = {"good": ("predict",), "other": ("read",), "revoked": ("predict",), "unread": ("predict",)}
FORMS: dict[str, Callable[[str], tuple[str, str]]] = {
    "bearer": lambda key: ("authorization", f"Bearer {key}"),
    "lower": lambda key: ("authorization", f"bearer  {key}"),
    "x-api-key": lambda key: ("x-api-key", key),
    "basic": lambda key: ("authorization", f"Basic {key}"),
}


@pytest.fixture
def keyed(installation: Installation) -> Iterator[tuple[World, dict[str, str]]]:
    """A world that asks for keys, and some, of which one is not known to its process yet."""
    keys = KeyWorld(installation)
    services = keys.api.services
    moment = now()
    services.cache.freshness = replace(services.cache.freshness, clock=moment.timestamp)
    services.cache.store(address_of(services, HELD_BY_BOTH), an_answer(moment, text=HELD_BY_BOTH))
    made = {name: keys.made(*scopes, name=name) for name, scopes in KEYS.items() if name != "unread"}
    keys.keys.revoke(made["revoked"][0].id)
    keys.api.get("/api/v1/tasks", x_api_key=made["good"][1])
    texts = {name: text for name, (_, text) in made.items()} | {"unread": keys.key("predict", name="unread")}
    texts["limited"] = keys.key("predict", name="limited", limits=Limits(requests_per_minute=4))
    records: list[RequestRecord] = []
    services.request_log.buffer = records.append  # type: ignore[method-assign]  # read here instead of PostgreSQL
    with fronts(services) as (fast, slow):
        yield World(fast, slow, services, records), texts


@pytest.mark.parametrize("text", [HELD_BY_BOTH, NOWHERE])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("key", [*KEYS, "none of ours"])
def test_with_keys_both_ways_let_in_the_same(
    keyed: tuple[World, dict[str, str]], key: str, form: str, text: str
) -> None:
    world, keys = keyed
    name, value = FORMS[form](keys.get(key, "ak_nonsense"))
    body = json.dumps({"task_type": "sentiment", "input": text}).encode()
    call = json_call(body, **{name: value}, cache_control="only-if-cached")
    fast, slow = (seen(*world.call(client, call)) for client in (world.fast, world.slow))
    assert fast == slow


def test_a_known_key_does_without_flask(keyed: tuple[World, dict[str, str]]) -> None:
    world, keys = keyed
    body = json.dumps({"task_type": "sentiment", "input": HELD_BY_BOTH}).encode()
    received, record = world.call(world.fast, json_call(body, x_api_key=keys["good"]))
    assert (received.status, world.fast.by_flask, record and record.client) == (200, 0, "good")


def test_a_body_that_is_known_of_one_key_is_recorded_with_the_next(keyed: tuple[World, dict[str, str]]) -> None:
    world, keys = keyed
    body = json.dumps({"task_type": "sentiment", "input": HELD_BY_BOTH}).encode()
    for name in ("good", "unread", "good"):
        _, record = world.call(world.fast, json_call(body, x_api_key=keys[name]))
        assert record is not None
        assert record.client == name


def test_the_large_body_of_a_stranger_is_not_read(keyed: tuple[World, dict[str, str]]) -> None:
    world, keys = keyed
    size = str(STRANGERS_BYTES + 1)
    stranger = json_call(b"never sent", x_api_key="ak_nonsense", content_length=size)
    unread = Unread(b"")
    world.slow.pass_on(stranger, unread)
    assert (unread.status, unread.header("connection"), unread.was_asked) == (401, "close", False)
    known = world.call(world.slow, json_call(b"x" * (STRANGERS_BYTES + 1), x_api_key=keys["unread"]))[0]
    assert known.status == 400


@pytest.mark.parametrize("text", [HELD_BY_BOTH, NOWHERE])
def test_both_ways_count_a_limited_key_alike(keyed: tuple[World, dict[str, str]], text: str) -> None:
    world, keys = keyed
    body = json.dumps({"task_type": "sentiment", "input": text}).encode()
    call = json_call(body, x_api_key=keys["limited"], cache_control="only-if-cached")
    found = [seen(*world.call(client, call)) for client in (world.fast, world.slow) * 3]
    left = [dict(each[1])["ratelimit"].partition(";t=")[0] for each in found]  # type: ignore[call-overload]  # headers
    assert left == ['"rpm";r=3', '"rpm";r=2', '"rpm";r=1', '"rpm";r=0', '"rpm";r=0', '"rpm";r=0']
    assert found[4] == found[5]


class Unread(Received):
    """A request whose body would be noticed if it were read."""

    was_asked = False

    async def __anext__(self) -> bytes:
        self.was_asked = True
        raise StopAsyncIteration
