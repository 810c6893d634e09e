"""The fast path of predict, beside Flask's view of it."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from api.bootstrap import ApiServices
from api.front.front import STRANGERS_BYTES
from api.request_log.records import RequestRecord
from shared.cache.lookup import Address
from shared.domain.request import TextInput
from shared.times import now
from tests.installation import Installation
from tests.integration.asking import address, an_answer, ask
from tests.integration.front_client import Call, FrontClient, Headers, Received, fronts, json_call
from tests.integration.key_world import KeyWorld

IDS = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
TIMES = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z")
OURS = "x-request-id"

HELD_BY_BOTH, HELD_BY_REDIS, STALE, NOWHERE = "held by both tiers", "held by redis", "stale in redis", "held nowhere"
AGES = {HELD_BY_BOTH: 100, HELD_BY_REDIS: 200, STALE: 4000}

bodies = st.sampled_from(
    [
        *({"task_type": "sentiment", "input": text} for text in (*AGES, NOWHERE)),
        {"task_type": "sentiment", "input": HELD_BY_BOTH, "options": {}},
        {"task_type": "sentiment", "input": HELD_BY_BOTH, "model": "openai/gpt-oss-20b"},
        {"task_type": "sentiment", "input": HELD_BY_BOTH, "options": {"nonsense": 1}},
        {"task_type": "sentiment", "input": ""},
        {"task_type": "nonsense", "input": "a"},
        {"task_type": "image_captioning", "input": "http://127.0.0.1/cat.png"},
        {"input": "a"},
        [],
        "text",
    ]
).map(lambda body: json.dumps(body).encode())

broken = st.sampled_from([b"{", b"", b"\xff", b'{"task_type": "sentiment", "input": "a", "input": "b"}', b"[" * 100])

# `only-if-cached` and `no-store` let a call that nobody can answer be made twice, with the same result.
directives = st.sampled_from(
    [
        *("only-if-cached", "ONLY-IF-CACHED", "max-age=150, only-if-cached", "max-age=0, only-if-cached", "no-store"),
        *("no-cache, only-if-cached", 'max-age="300", only-if-cached', "max-age=x, only-if-cached", "only-if-cached=1"),
        *("only-if-cached, foo=bar", "max-age=90,only-if-cached", "only-if-cached, max-age=1000", ", only-if-cached"),
        "only-if-cached," + "a," * 400,
    ]
)

others = st.lists(
    st.sampled_from(
        [
            ("x-request-id", "mine-1"),
            ("x-request-id", "not sane!"),
            ("x-request-id", ""),
            ("prefer", "wait=0"),
            ("prefer", "respond-async"),
            ("accept", "text/html"),
            ("content-encoding", "identity"),
            ("content-encoding", "gzip"),
            ("expect", "100-continue"),
            ("transfer-encoding", "gzip"),
            ("x_request_id", "under_scored"),
            ("user-agent", "\u00e9"),
            ("cookie", "a=b"),
            ("origin", "http://localhost"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
        ]
    ),
    max_size=3,
)

hosts = st.sampled_from(["localhost"] * 8 + ["127.0.0.1:8000", "evil.example", "", "localhost,localhost", "LOCALHOST."])
types = st.sampled_from(
    ["application/json"] * 8 + ["application/json; charset=utf-8", "APPLICATION/JSON", "text/plain", ""]
)


@st.composite
def calls(draw: st.DrawFn) -> Call:
    body = draw(st.one_of(bodies, bodies, bodies, broken))
    pairs = [("host", draw(hosts)), ("content-type", draw(types)), ("content-length", str(len(body)))]
    pairs += [("cache-control", draw(directives)), *draw(others)]
    return Call(
        headers=Headers(tuple(pairs)),
        body=body,
        method=draw(st.sampled_from(["POST"] * 9 + ["PUT"])),
        query_string=draw(st.sampled_from([""] * 9 + ["a=b"])),
        authority=draw(st.sampled_from([None] * 9 + ["localhost", "evil.example"])),
    )


@dataclass(frozen=True)
class World:
    """A front with the fast path and one without, on services that hold answers and whose clock stands still."""

    fast: FrontClient
    slow: FrontClient
    services: ApiServices
    records: list[RequestRecord]

    def call(self, client: FrontClient, call: Call) -> tuple[Received, RequestRecord | None]:
        """Make a call as if it were the first; return the response, and the record where there is one."""
        self.services.cache.l1.delete([address_of(self.services, HELD_BY_REDIS).name()])
        self.records.clear()
        received = client.call(call)
        assert len(self.records) <= 1
        return received, self.records[0] if self.records else None


def address_of(services: ApiServices, text: str) -> Address:
    request = ask(services.settings)
    return address(replace(request, input=TextInput(text)))


@pytest.fixture
def world(installation: Installation) -> Iterator[World]:
    services = installation.services
    moment = now()
    for text, age in AGES.items():
        made_at = moment - timedelta(seconds=age)
        services.cache.freshness = replace(services.cache.freshness, clock=made_at.timestamp)
        services.cache.store(address_of(services, text), an_answer(made_at, text=text))
    services.cache.freshness = replace(services.cache.freshness, clock=moment.timestamp)
    records: list[RequestRecord] = []
    services.request_log.buffer = records.append  # type: ignore[method-assign]  # read here instead of PostgreSQL
    with fronts(services) as (fast, slow):
        yield World(fast, slow, services, records)


def seen(received: Received, record: RequestRecord | None) -> tuple[object, ...]:
    """Return what a client and an operator see of a call, without ids and times that are new each time."""
    headers = {name.lower(): IDS.sub("id", value) for name, value in received.headers}
    headers.pop("content-length", None)
    known_as = received.header(OURS)
    recorded = None
    if record is not None:
        assert record.request_id == known_as
        recorded = record._replace(id="", request_id=None, latency_ms=0.0, job_id=None)
    return received.status, headers, TIMES.sub("time", IDS.sub("id", received.body.decode())), recorded


@hypothesis_settings(
    max_examples=2000,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(call=calls())
def test_the_fast_path_answers_and_records_as_the_view_does(world: World, call: Call) -> None:
    fast, slow = (seen(*world.call(client, call)) for client in (world.fast, world.slow))
    assert fast == slow


@pytest.mark.parametrize(
    ("text", "directive"),
    [
        *((text, directive) for text in (HELD_BY_BOTH, HELD_BY_REDIS) for directive in ("", "max-age=1000")),
        *((text, directive) for text in AGES for directive in ("max-age=0, only-if-cached", "no-store")),
        *((NOWHERE, directive) for directive in ("only-if-cached", "")),
    ],
)
def test_a_plain_call_does_without_flask(world: World, text: str, directive: str) -> None:
    body = json.dumps({"task_type": "sentiment", "input": text}).encode()
    world.call(world.fast, json_call(body, cache_control=directive, prefer="wait=0"))
    assert world.fast.by_flask == 0


def test_a_page_of_our_own_is_answered_without_flask_and_a_foreign_one_is_refused(world: World) -> None:
    body = json.dumps({"task_type": "sentiment", "input": HELD_BY_BOTH}).encode()
    ours, _ = world.call(world.fast, json_call(body, origin="http://localhost"))
    assert (ours.status, world.fast.by_flask) == (200, 0)
    foreign, record = world.call(world.fast, json_call(body, origin="http://localhost:3000"))
    assert (foreign.status, record and record.request) == (403, {"error": "origin_not_allowed"})


def test_a_stale_answer_that_is_refreshed_is_left_to_the_view(world: World) -> None:
    body = json.dumps({"task_type": "sentiment", "input": STALE}).encode()
    world.call(world.fast, json_call(body))
    assert world.fast.by_flask == 1


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


class Unread(Received):
    """A request whose body would be noticed if it were read."""

    was_asked = False

    async def __anext__(self) -> bytes:
        self.was_asked = True
        raise StopAsyncIteration
