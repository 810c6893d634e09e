"""Polls in the front, beside Flask's view of them."""

import asyncio
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from api.bootstrap import ApiServices
from shared.config import Settings
from shared.jobs.errors import InternalError
from shared.jobs.job import Job
from tests.installation import Installation
from tests.integration.asking import accepted, an_answer, ask, write
from tests.integration.front_client import Call, FrontClient, Headers, Received, fronts
from tests.integration.outages import database_away
from tests.integration.overheard import Heard
from workers.jobs.claims import Claims

IDS = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
KINDS = ("queued", "running", "completed", "failed", "cancelled", "answered after it was cancelled", "requeued")
UNKNOWN = str(uuid4())


@dataclass(frozen=True)
class World:
    """A front with the fast path of polls and one without, and a job of each kind."""

    fast: FrontClient
    slow: FrontClient
    services: ApiServices
    jobs: dict[str, Job]


def poll(name: str, prefix: str = "/api/v1/jobs/", **headers: str) -> Call:
    given = {"host": "localhost", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Call(Headers(tuple(given.items())), method="GET", path=f"{prefix}{name}")


def make_jobs(services: ApiServices, claims: Claims) -> dict[str, Job]:
    def new() -> Job:
        return accepted(services.jobs, ask(services.settings))

    def claimed() -> Job:
        job = claims.claim(new().id)
        assert job is not None
        return job

    jobs = {kind: new() if kind in {"queued", "cancelled"} else claimed() for kind in KINDS}
    claims.complete(jobs["completed"], an_answer(text='Ünïcode "quoted" \\ \U0001f600'), None)
    claims.fail(jobs["failed"], InternalError(), None)
    claims.requeue(jobs["requeued"], 60, counted=True)
    for kind in ("cancelled", "answered after it was cancelled"):
        services.jobs.cancel(jobs[kind].id)
    claims.complete(jobs["answered after it was cancelled"], an_answer(), None)
    return jobs


@pytest.fixture
def world(installation: Installation) -> Iterator[World]:
    url = installation.heard.url.replace("+psycopg2", "")
    services = installation.open_services(installation.configure(DATABASE_URL=url))
    with fronts(services) as (fast, slow):
        yield World(fast, slow, services, make_jobs(services, installation.claims))


def seen(received: Received) -> tuple[object, ...]:
    """Return what a client sees, without ids that are new each time."""
    headers = sorted((name.lower(), IDS.sub("id", value)) for name, value in received.headers)
    return received.status, [each for each in headers if each[0] != "content-length"], received.body


names = st.sampled_from(
    [*KINDS, UNKNOWN, "", "no-id", UNKNOWN.upper(), f"{{{UNKNOWN}}}", f"{UNKNOWN}/", f"{UNKNOWN}\n"]
)
forms = st.sampled_from(
    [str, str, str, str, str.upper, lambda name: name.replace("-", ""), lambda name: f"urn:uuid:{name}"]
)
prefixes = st.sampled_from(["/api/v1/jobs/"] * 4 + ["/jobs/"] * 3 + ["/api/v1/jobs//", "//jobs/", "/api/jobs/"])
others = st.lists(
    st.sampled_from(
        [
            ("x-request-id", "mine-1"),
            ("x-request-id", "not sane!"),
            ("x-request-id", ""),
            ("prefer", "wait=0"),
            ("prefer", "respond-async"),
            ("content-length", "0"),
            ("content-encoding", "gzip"),
            ("expect", "100-continue"),
            ("transfer-encoding", "gzip"),
            ("x_request_id", "under_scored"),
            ("accept", "text/html"),
            ("user-agent", "\u00e9"),
            ("origin", "https://evil.example"),
        ]
    ),
    max_size=3,
)


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, Callable[[str], Call]]:
    """Return the kind of a job, or another name, and what makes a call of its id."""
    name, form, prefix = draw(names), draw(forms), draw(prefixes)
    host = draw(st.sampled_from(["localhost"] * 8 + ["127.0.0.1:8000", "evil.example", ""]))
    headers = Headers((("host", host), *draw(others)))
    method = draw(st.sampled_from(["GET"] * 9 + ["HEAD", "POST", "OPTIONS"]))
    query = draw(st.sampled_from([""] * 9 + ["a=b", "limit=3"]))
    authority = draw(st.sampled_from([None] * 9 + ["localhost", "evil.example"]))
    return name, lambda job_id: Call(
        headers, method=method, path=f"{prefix}{form(job_id)}", query_string=query, authority=authority
    )


@hypothesis_settings(
    max_examples=500,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(drawn=calls())
def test_a_poll_in_the_front_is_answered_as_the_view_does(
    world: World, drawn: tuple[str, Callable[[str], Call]]
) -> None:
    name, make = drawn
    call = make(str(world.jobs[name].id) if name in world.jobs else name)
    assert seen(world.fast.call(call)) == seen(world.slow.call(call))


@pytest.mark.parametrize("prefix", ["/api/v1/jobs/", "/jobs/"])
def test_a_plain_poll_does_without_flask(world: World, prefix: str) -> None:
    for job in world.jobs.values():
        assert world.fast.call(poll(str(job.id), prefix)).status == 200
    assert world.fast.call(poll(UNKNOWN, prefix)).status == 404
    assert world.fast.by_flask == 0


def test_a_poll_takes_one_message_to_postgresql(world: World, heard: Heard) -> None:
    (message,) = heard.during(lambda: world.fast.call(poll(str(world.jobs["queued"].id))))
    assert "request" not in message


@pytest.mark.parametrize("kind", ["completed", "failed"])
def test_further_polls_of_an_ended_job_take_none(world: World, heard: Heard, kind: str) -> None:
    call = poll(str(world.jobs[kind].id))
    world.fast.call(call)
    assert heard.during(lambda: world.fast.call(call)) == []


@pytest.mark.parametrize("kind", ["queued", "running", "cancelled"])
def test_a_job_that_may_still_change_is_read_for_each_poll(world: World, heard: Heard, kind: str) -> None:
    call = poll(str(world.jobs[kind].id))
    world.fast.call(call)
    assert len(heard.during(lambda: world.fast.call(call))) == 1


def test_polls_that_come_during_a_read_share_the_next(world: World, heard: Heard) -> None:
    jobs = [job for job in world.jobs.values() for _ in range(10)]
    received = [Received(b"") for _ in jobs]

    async def together() -> None:
        calls = zip(jobs, received, strict=True)
        await asyncio.gather(*(world.fast.front.serve(poll(str(job.id)), each) for job, each in calls))

    world.fast._runner.run(asyncio.sleep(0))  # noqa: SLF001  the loop of both fronts
    messages = heard.during(lambda: world.fast._runner.run(together()))  # noqa: SLF001  as above
    # On a busy machine the breaker may find a read slow, and send a probe of its own.
    assert len([message for message in messages if message != "SELECT 1"]) == 2
    for job, each in zip(jobs, received, strict=True):
        assert each.status == 200
        assert str(job.id).encode() in each.body


@pytest.mark.parametrize("kind", ["completed", "failed"])
def test_a_job_that_is_deleted_is_not_found_soon(world: World, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    call = poll(str(world.jobs[kind].id))
    polls = world.fast.front._polls  # noqa: SLF001  whose time is to pass
    assert polls is not None
    assert world.fast.call(call).status == 200
    write(world.services.database, "DELETE FROM jobs WHERE id = :id", id=world.jobs[kind].id)
    assert world.fast.call(call).status == 200
    monkeypatch.setattr(polls._ended, "_replies", {})  # noqa: SLF001  as above
    assert world.fast.call(call).status == 404


def test_a_poll_without_postgresql_is_refused_as_the_view_does(world: World, settings: Settings) -> None:
    call = poll(str(world.jobs["queued"].id), x_request_id="mine")
    with database_away(settings.database_url):
        fast, slow = world.fast.call(call), world.slow.call(call)
    assert fast.status == slow.status == 503
    assert seen(fast) == seen(slow)
