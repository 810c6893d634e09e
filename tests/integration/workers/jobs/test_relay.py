"""The parts of answers on their way into Redis."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from shared.breaker import Breaker
from shared.jobs.deltas import End, Entry, key_of, read_entry
from shared.jobs.job import Job
from shared.redis import REDIS_ERRORS, connect
from tests.installation import Installation
from tests.integration.eventually import eventually
from tests.integration.outages import frozen
from tests.servers import Servers
from workers.jobs import relay as relay_module
from workers.jobs.relay import Relay

SECONDS = 60


class World:
    """A relay, a job that was claimed, and what is in Redis."""

    def __init__(self, installation: Installation) -> None:
        self.job: Job = installation.claimed()
        self.redis: Redis = connect(installation.settings.redis_cache_url, 5)
        client = connect(installation.settings.redis_cache_url)
        self.breaker = Breaker("redis", REDIS_ERRORS, client.ping)
        self.relay = Relay(client, self.breaker, SECONDS)

    def add(self, chunk: dict[str, Any], job: Job | None = None) -> None:
        self.relay.open(job or self.job)(chunk)

    def entries(self, job: Job | None = None) -> list[Entry]:
        found = (read_entry(fields) for _, fields in self.redis.xrange(key_of((job or self.job).id)))
        return [entry for entry in found if entry is not None]

    def chunks(self) -> list[object]:
        return [json.loads(chunk) for entry in self.entries() for chunk in entry.chunks]

    def ends(self) -> list[End | None]:
        return [entry.end for entry in self.entries() if entry.end is not None]

    def is_ended(self) -> bool:
        return bool(self.ends())


@pytest.fixture
def world(installation: Installation) -> Iterator[World]:
    world = World(installation)
    with ExitStack() as at_the_end:
        at_the_end.callback(world.redis.close)
        at_the_end.callback(world.breaker.close)
        at_the_end.callback(world.relay.close)
        yield world


def test_chunks_come_in_order_and_their_places_are_named(world: World) -> None:
    for number in range(50):
        world.add({"n": number})
    world.relay.end(world.job, End.WHOLE)
    eventually(world.is_ended)
    assert world.chunks() == [{"n": number} for number in range(50)]
    starts = 0
    for entry in world.entries():
        assert (entry.claim, entry.start) == (world.job.claims, starts)
        starts += len(entry.chunks)


def test_the_first_two_chunks_are_sent_at_once_and_those_that_follow_are_gathered(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "GATHER_SECONDS", 3600)
    for number in range(2):
        world.add({"n": number})
        eventually(lambda sent=number + 1: len(world.chunks()) == sent)
    for number in range(2, 5):
        world.add({"n": number})
    world.relay.end(world.job, End.WHOLE)
    eventually(world.is_ended)
    assert [len(entry.chunks) for entry in world.entries()] == [1, 1, 3]


def test_a_text_of_any_language_comes_through(world: World) -> None:
    world.add({"text": "Grüße\n\u2028 你好 🎉"})
    eventually(lambda: world.chunks() == [{"text": "Grüße\n\u2028 你好 🎉"}])


def test_a_stream_is_forgotten_after_a_while(world: World) -> None:
    world.add({})
    eventually(lambda: world.chunks() == [{}])
    assert SECONDS - 5 < world.redis.ttl(key_of(world.job.id)) <= SECONDS + 1


def test_a_stream_has_a_bounded_length(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_module, "MAX_ENTRIES", 100)
    with world.redis.pipeline(transaction=False) as earlier:
        for _ in range(1000):
            earlier.xadd(key_of(world.job.id), {"claim": 0, "start": 0})
        earlier.execute()
    world.add({})
    world.relay.end(world.job, End.WHOLE)
    eventually(lambda: world.redis.xlen(key_of(world.job.id)) < 300)


def test_an_attempt_that_is_given_up_says_so(world: World) -> None:
    world.add({})
    world.relay.forget(world.job)
    eventually(lambda: world.ends() == [End.LOST])


def test_an_attempt_that_has_ended_is_not_lost_when_it_is_forgotten(world: World) -> None:
    world.add({})
    world.relay.end(world.job, End.WHOLE)
    world.relay.forget(world.job)
    eventually(lambda: world.ends() == [End.WHOLE])


def test_an_attempt_without_chunks_leaves_nothing(world: World) -> None:
    other = replace(world.job, claims=world.job.claims + 1)
    world.relay.end(world.job, End.WHOLE)
    world.relay.forget(world.job)
    world.add({}, other)
    world.relay.end(other, End.WHOLE)
    eventually(world.is_ended)
    assert {entry.claim for entry in world.entries()} == {other.claims}


def test_chunks_that_come_after_the_end_are_dropped(world: World) -> None:
    world.add({"n": 0})
    world.relay.end(world.job, End.LOST)
    world.add({"n": 1})
    eventually(world.is_ended)
    assert world.chunks() == [{"n": 0}]


def test_chunks_of_an_attempt_that_is_forgotten_are_dropped(world: World) -> None:
    send = world.relay.open(world.job)
    world.relay.forget(world.job)
    send({})
    other = replace(world.job, claims=world.job.claims + 1)
    world.add({}, other)
    eventually(lambda: {entry.claim for entry in world.entries()} == {other.claims})


def test_what_waits_is_sent_when_the_worker_ends(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_module, "GATHER_SECONDS", 3600)
    monkeypatch.setattr(relay_module, "CLOSE_SECONDS", 60)
    world.add({"n": 0})
    eventually(lambda: world.chunks() == [{"n": 0}])
    world.add({"n": 1})
    world.relay.close()
    assert (world.chunks(), world.ends()) == ([{"n": 0}, {"n": 1}], [End.LOST])


def test_a_server_that_is_away_for_a_moment_misses_nothing(world: World, servers: Servers) -> None:
    world.add({"n": 0})
    eventually(lambda: world.chunks() == [{"n": 0}])
    with frozen(servers.valkey):
        world.add({"n": 1})
        eventually(lambda: world.breaker.is_open)
        world.add({"n": 2})
        world.relay.end(world.job, End.WHOLE)
        world.relay.forget(world.job)
    eventually(world.is_ended)
    said: dict[int, bytes] = {}
    for entry in world.entries():
        assert entry.start <= len(said)
        said |= dict(enumerate(entry.chunks, entry.start))
    assert ([json.loads(said[place]) for place in range(3)], world.ends()) == (
        [{"n": 0}, {"n": 1}, {"n": 2}],
        [End.WHOLE],
    )


def test_a_frozen_server_holds_up_nobody_and_its_listeners_learn_of_it(
    world: World, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "PATIENCE_SECONDS", 0.0)
    world.add({"n": 0})
    eventually(lambda: world.chunks() == [{"n": 0}])
    with frozen(servers.valkey):
        world.add({"n": 1})
        eventually(lambda: world.breaker.is_open)
        world.add({"n": 2})
    eventually(world.is_ended)
    assert (world.ends(), world.chunks()[:1]) == ([End.LOST], [{"n": 0}])
    assert {"n": 2} not in world.chunks()


def test_a_full_server_does_not_count_as_down(world: World) -> None:
    world.add({"n": 0})
    eventually(lambda: world.chunks() == [{"n": 0}])
    before = world.redis.config_get("maxmemory*")
    world.redis.config_set("maxmemory-policy", "noeviction")
    world.redis.config_set("maxmemory", "1")
    try:
        for number in range(1, 20):
            world.add({"n": number})
            eventually(lambda: not world.relay._unsent or not _open(world))  # noqa: SLF001  it was tried
    finally:
        for name in ("maxmemory", "maxmemory-policy"):
            world.redis.config_set(name, before[name])
    eventually(world.is_ended)
    assert (world.breaker.is_open, world.ends()) == (False, [End.LOST])


def _open(world: World) -> bool:
    return world.relay._outlets[world.job.id, world.job.claims].is_open  # noqa: SLF001  has it noticed?


def test_a_job_goes_on_where_no_thread_can_be_started(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_thread() -> None:
        message = "can't start new thread"
        raise RuntimeError(message)

    monkeypatch.setattr(world.relay.loop, "start", no_thread)
    world.add({})
    assert "No thread to stream with" in caplog.text


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {b"claim": b"1"},
        {b"claim": b"x", b"start": b"0"},
        {b"claim": b"1", b"start": b"0", b"end": b"else"},
        {b"claim": b"1", b"start": b"0", b"end": b"\xff"},
    ],
)
def test_what_is_no_entry_is_none(fields: dict[bytes, bytes]) -> None:
    assert read_entry(fields) is None
