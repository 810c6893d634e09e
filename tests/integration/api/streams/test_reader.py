"""One reader of a real Valkey, for all who listen."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest
from redis import Redis

from api.http.pieces import Piece
from api.streams import reader as reader_module
from api.streams.reader import DeltaReader
from api.tiers.redis import redis_at
from shared.jobs.deltas import End, Entry, fields_of, key_of
from shared.redis import connect
from tests.freezing import frozen_process
from tests.servers import Servers

SECONDS = 20


@dataclass
class Heard:
    """One who writes down what it hears."""

    said: list[str] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def pieces(self, pieces: Sequence[Piece]) -> None:
        self.said += [json.loads(b"{" + piece.counted)["n"] for piece in pieces]
        self.changed.set()

    def whole(self) -> None:
        self.said.append("whole")
        self.changed.set()

    def lost(self) -> None:
        self.said.append("lost")
        self.changed.set()

    async def until(self, *said: str) -> None:
        """Wait until it has heard just this."""
        async with asyncio.timeout(SECONDS):
            while self.said != list(said):
                await self.changed.wait()
                self.changed.clear()


@dataclass
class World:
    """A reader, and a worker's end of the streams."""

    reader: DeltaReader
    redis: "Redis[bytes]"
    job_id: UUID = field(default_factory=uuid4)

    def send(
        self, start: int, said: str = "", end: End | None = None, *, claim: int = 1, job: UUID | None = None
    ) -> None:
        chunks = [json.dumps({"choices": [{}], "n": letter}).encode() for letter in said]
        self.redis.xadd(key_of(job or self.job_id), fields_of(Entry(claim, start, chunks, end)))

    def listen(self, job: UUID | None = None) -> Heard:
        heard = Heard()
        self.reader.follow(job or self.job_id, heard)
        return heard


Test = Callable[[World], Awaitable[None]]


@pytest.fixture
def run(servers: Servers) -> Iterator[Callable[[Test], None]]:
    """Run a test in an event loop, with a reader."""
    redis = connect(servers.valkey.url(0), 5)

    async def within(test: Test) -> None:
        reader = DeltaReader(redis_at(servers.valkey.url(0)))
        try:
            await test(World(reader, redis))
        finally:
            reader.close()
            await asyncio.sleep(0.01)

    yield lambda test: asyncio.run(within(test))
    redis.close()


def test_parts_are_heard_as_they_come(run: Callable[[Test], None]) -> None:
    async def test(world: World) -> None:
        heard = world.listen()
        world.send(0, "ab")
        await heard.until("a", "b")
        world.send(2, "c", End.WHOLE)
        await heard.until("a", "b", "c", "whole")

    run(test)


def test_whoever_comes_late_hears_it_all_and_then_what_comes(run: Callable[[Test], None]) -> None:
    async def test(world: World) -> None:
        first = world.listen()
        world.send(0, "ab")
        await first.until("a", "b")
        second, third = world.listen(), world.listen()
        world.send(2, "c")
        for each in (first, second, third):
            await each.until("a", "b", "c")

    run(test)


def test_whoever_comes_first_in_a_process_hears_what_there_is(run: Callable[[Test], None]) -> None:
    async def test(world: World) -> None:
        world.send(0, "ab")
        await world.listen().until("a", "b")

    run(test)


def test_jobs_are_told_apart(run: Callable[[Test], None]) -> None:
    async def test(world: World) -> None:
        jobs = [uuid4() for _ in range(50)]
        heard = [world.listen(job) for job in jobs]
        for number, job in enumerate(jobs):
            world.send(0, str(number % 10), job=job)
        for number, each in enumerate(heard):
            await each.until(str(number % 10))

    run(test)


def test_whoever_leaves_hears_nothing_more(run: Callable[[Test], None]) -> None:
    async def test(world: World) -> None:
        staying, leaving = world.listen(), Heard()
        listening = world.reader.follow(world.job_id, leaving)
        world.send(0, "a")
        await leaving.until("a")
        world.reader.leave(listening)
        world.send(1, "b")
        await staying.until("a", "b")
        assert (leaving.said, world.reader.listeners) == (["a"], 1)

    run(test)


def test_nothing_is_read_while_nobody_listens(run: Callable[[Test], None]) -> None:
    async def test(world: World) -> None:
        heard = Heard()
        listening = world.reader.follow(world.job_id, heard)
        world.send(0, "a")
        await heard.until("a")
        world.reader.leave(listening)
        async with asyncio.timeout(SECONDS):
            while any("xread" in str(each["cmd"]) for each in world.redis.client_list()):  # noqa: ASYNC110  of a server
                await asyncio.sleep(0.01)
        again = world.listen()
        await again.until("a")

    run(test)


def test_a_server_that_is_lost_in_the_middle_is_the_end_for_those_who_have_begun(
    run: Callable[[Test], None], servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "REPLY_SECONDS", 0.1)
    monkeypatch.setattr(reader_module, "MOST_BLOCK_SECONDS", 0.1)

    async def test(world: World) -> None:
        begun, waiting = world.listen(), world.listen(other := uuid4())
        world.send(0, "a")
        await begun.until("a")
        assert servers.valkey.pid is not None
        with frozen_process(servers.valkey.pid):
            await begun.until("a", "lost")
        world.send(0, "x", job=other)
        await waiting.until("x")
        world.send(1, "b")
        await world.listen().until("a", "b")
        assert begun.said == ["a", "lost"]

    run(test)


def test_a_connection_that_is_cut_is_made_anew(run: Callable[[Test], None]) -> None:
    async def test(world: World) -> None:
        begun, waiting = world.listen(), world.listen(other := uuid4())
        world.send(0, "a")
        await begun.until("a")
        world.redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        await begun.until("a", "lost")
        world.send(0, "x", job=other)
        await waiting.until("x")

    run(test)


def test_a_stream_that_redis_has_forgotten_is_a_gap(run: Callable[[Test], None]) -> None:
    async def test(world: World) -> None:
        begun = world.listen()
        world.send(0, "a")
        await begun.until("a")
        world.redis.delete(key_of(world.job_id))
        world.send(1, "b")
        await begun.until("a", "b")
        late = world.listen()
        world.send(2, "c", End.WHOLE)
        await begun.until("a", "b", "c", "whole")
        assert late.said == []

    run(test)


def test_a_long_answer_is_caught_up_with(run: Callable[[Test], None]) -> None:
    async def test(world: World) -> None:
        first = world.listen()
        with world.redis.pipeline(transaction=False) as pipeline:
            for number in range(3000):
                chunk = json.dumps({"choices": [{"text": "x" * 200}], "n": str(number)}).encode()
                pipeline.xadd(key_of(world.job_id), fields_of(Entry(1, number, [chunk])))
            pipeline.execute()
        expected = [str(number) for number in range(3000)]
        await first.until(*expected)
        await world.listen().until(*expected)

    run(test)
