"""Many calls for the same at the same time, in the front."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from api.bootstrap import ApiServices
from tests.installation import Installation
from tests.integration.asking import address, an_answer, ask, new_text, rows
from tests.integration.eventually import eventually
from tests.integration.front_client import Call, FrontClient, Received, fronts, json_call
from tests.integration.outages import database_away
from tests.integration.overheard import Heard
from tests.integration.tenants import Tenants

CROWD = 60
MESSAGES_FOR_ALL = 4
"""What the one who leads sends: a new job, and its commit; and what calls send who come after it has ended."""


@dataclass(frozen=True)
class World:
    """A front, and what it serves from."""

    front: FrontClient
    services: ApiServices


@pytest.fixture
def world(installation: Installation) -> Iterator[World]:
    url = installation.heard.url.replace("+psycopg2", "")
    services = installation.open_services(installation.configure(DATABASE_URL=url))
    with fronts(services) as (fast, _):
        yield World(fast, services)


def call(body: dict[str, object], **headers: str) -> Call:
    return json_call(json.dumps(body).encode(), **headers)


def together(front: FrontClient, calls: Sequence[Call]) -> list[Received]:
    """Make calls at the same time, and wait for all responses."""
    received = [Received(each.body) for each in calls]

    async def run() -> None:
        await asyncio.gather(*(front.front.serve(*each) for each in zip(calls, received, strict=True)))

    front.run(run())
    return received


def without_probes(messages: Sequence[str]) -> list[str]:
    """Leave out what a breaker sends that finds a statement slow, on a busy machine."""
    return [message for message in messages if message != "SELECT 1"]


def question() -> dict[str, object]:
    return {"task_type": "sentiment", "input": new_text()}


def test_a_crowd_with_one_question_gets_one_job(world: World) -> None:
    found = together(world.front, [call(question())] * CROWD)
    assert {each.status for each in found} == {202}
    assert len({json.loads(each.body)["job_id"] for each in found}) == 1
    assert Counter("collapsed" in str(each.header("cache-status")) for each in found) == {True: CROWD - 1, False: 1}


def test_a_crowd_with_one_question_costs_postgresql_no_more_than_a_few_calls(world: World, heard: Heard) -> None:
    world.front.call(call(question()))
    messages = heard.during(lambda: together(world.front, [call(question())] * CROWD))
    assert len(without_probes(messages)) <= MESSAGES_FOR_ALL


def test_each_call_of_a_crowd_is_on_record(world: World) -> None:
    asked = question()
    key = json.loads(together(world.front, [call(asked)] * CROWD)[0].body)["cache"]["key"]
    statement = "SELECT outcome, count(*) FROM requests WHERE cache_key = :key GROUP BY outcome"

    def recorded() -> dict[str, int]:
        world.services.request_log.flush()
        return dict(map(tuple, rows(world.services.database, statement, key=key)))

    eventually(lambda: recorded() == {"miss": 1, "joined": CROWD - 1})


def test_calls_that_must_not_share_get_jobs_of_their_own(world: World) -> None:
    found = together(world.front, [call(question(), cache_control="no-store")] * 3)
    assert len({json.loads(each.body)["job_id"] for each in found}) == 3


def test_in_a_crowd_of_two_tenants_each_call_is_on_the_record_of_its_own(installation: Installation) -> None:
    tenants = Tenants(installation, CACHE_SCOPE="shared")
    asked = question()
    # From now on this process knows the keys of both.
    tenants.get(tenants.b, "tasks")
    with fronts(tenants.api.services) as (front, _):
        found = together(front, [call(asked, **tenants.a), call(asked, **tenants.b)] * (CROWD // 2))
        assert front.by_flask == 0
    assert len({json.loads(each.body)["job_id"] for each in found}) == 1
    for tenant, theirs in ((tenants.a, found[::2]), (tenants.b, found[1::2])):
        recorded = {each["request_id"] for each in tenants.requests(tenant, "?limit=100")}
        assert recorded == {each.header("x-request-id") for each in theirs}


def test_calls_that_wait_for_one_job_read_it_together(world: World, installation: Installation, heard: Heard) -> None:
    calls = [call(question(), prefer="wait=30")] * CROWD
    received = [Received(each.body) for each in calls]
    messages: list[str] = []

    async def run() -> None:
        waiting = asyncio.gather(*(world.front.front.serve(*each) for each in zip(calls, received, strict=True)))
        await asyncio.to_thread(eventually, lambda: world.services.waiters.count == CROWD)
        (queued,), _ = world.services.jobs.page(status="queued", task_type=None, limit=1, before=None)
        job = installation.claims.claim(queued.id)
        assert job is not None
        installation.claims.complete(job, an_answer(), None)
        before = len(heard.messages)
        world.services.waiters.wake(job.id)
        await waiting
        messages.extend(heard.messages[before:])

    world.front.run(run())
    assert {(each.status, json.loads(each.body)["status"]) for each in received} == {(200, "completed")}
    assert len(without_probes(messages)) <= MESSAGES_FOR_ALL


def test_a_crowd_without_postgresql_is_refused(installation: Installation) -> None:
    services = installation.services
    with fronts(services) as (front, _), database_away(services.settings.database_url):
        found = together(front, [call(question())] * CROWD)
    assert {each.status for each in found} == {503}


def test_a_crowd_whose_answer_arrives_meanwhile_is_served_from_memory(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = ask(world.services.settings)
    accept = world.services.jobs.accept

    def late(*args: object, **options: object) -> object:
        world.services.cache.store(address(request), an_answer())
        return accept(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(world.services.jobs, "accept", late)
    body = {"task_type": request.task_type, "input": request.input.as_body()}
    found = together(world.front, [call(body)] * CROWD)
    assert {(each.status, json.loads(each.body)["cache"]["hit"]) for each in found} == {(200, True)}
