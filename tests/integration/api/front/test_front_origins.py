"""The front tells pages of a named origin that they may read its responses, whoever made them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from api.bootstrap import ApiServices
from shared.domain.request import TextInput
from tests.installation import Installation
from tests.integration.asking import accepted, address, an_answer, ask, new_text
from tests.integration.front_client import Call, FrontClient, Headers, Received, fronts, json_call

APP = "https://app.example"
EVIL = "https://evil.example"


@dataclass(frozen=True)
class World:
    """A front with the fast paths, on services that name an origin."""

    front: FrontClient
    services: ApiServices


@pytest.fixture
def world(installation: Installation) -> Iterator[World]:
    services = installation.open_services(installation.configure(CORS_ORIGINS=APP))
    with fronts(services) as (fast, _):
        yield World(fast, services)


def get(path: str, origin: str) -> Call:
    return Call(Headers((("host", "localhost"), ("origin", origin))), method="GET", path=path)


def calls(services: ApiServices, origin: str) -> dict[str, Call]:
    """Return a call for each way through the front."""
    known = ask(services.settings, given=TextInput(new_text()))
    services.cache.store(address(known), an_answer())
    hit = json.dumps({"task_type": "sentiment", "input": known.input.as_body()}).encode()
    new = json.dumps({"task_type": "sentiment", "input": new_text()}).encode()
    job = accepted(services.jobs, ask(services.settings))
    return {
        "a hit": json_call(hit, origin=origin),
        "a job": json_call(new, origin=origin, prefer="wait=0"),
        "a refusal": json_call(b"{", origin=origin),
        "a poll": get(f"/api/v1/jobs/{job.id}", origin),
        "a poll of no job": get("/api/v1/jobs/01890a5d-ac96-774b-bcce-b302099a8057", origin),
        "a view": get("/api/v1/tasks", origin),
        "alive": get("/api/v1/health/live", origin),
        "a mistake of ours": Call(Headers((("host", "localhost"), ("origin", origin), ("content-length", "x")))),
    }


def shared_with(received: Received) -> list[str]:
    return [value for name, value in received.headers if name.lower() == "access-control-allow-origin"]


def test_a_named_origin_may_read_each_response(world: World) -> None:
    received = {name: world.front.call(call) for name, call in calls(world.services, APP).items()}
    statuses = {name: each.status for name, each in received.items()}
    assert statuses == dict(zip(statuses, [200, 202, 400, 200, 404, 200, 200, 500], strict=True))
    assert {name: shared_with(each) for name, each in received.items()} == {name: [APP] for name in received}
    assert world.front.by_flask == 2


def test_another_origin_may_read_none_and_none_is_kept_for_it(world: World) -> None:
    received = [world.front.call(call) for call in calls(world.services, EVIL).values()]
    assert [shared_with(each) for each in received] == [[]] * len(received)
    assert all(("Vary", "Origin") in each.headers for each in received)


def test_a_page_of_a_named_origin_is_answered_by_the_fast_path(world: World) -> None:
    world.front.call(calls(world.services, APP)["a hit"])
    assert world.front.by_flask == 0
