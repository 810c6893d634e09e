"""Reads the parts of answers that workers send, for all who listen in this process, in one task of its event loop."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from uuid import UUID

from api.streams.listeners import NO_CLAIM, START, Audience, Hears, Listening
from api.tiers.connection import PipelinedConnection, Reply
from api.tiers.redis import command, parse
from api.tiers.server import Connect
from shared.errors import ServerDown
from shared.jobs.deltas import Entry, key_of, read_entry
from shared.logs.throttle import LogThrottle

BLOCK_SECONDS = 0.02
"""How long a read waits for entries. A job that is listened to meanwhile is part of the next read."""

PAUSE_SECONDS = 0.005
"""After entries were read: what comes meanwhile is read together."""

SECONDS_PER_JOB = 0.00002
"""Added to both for each job that is listened to, so that reading about very many takes no more than a tenth of the
time."""

MOST_BLOCK_SECONDS = 0.5
REPLY_SECONDS = 1.0
RETRY_SECONDS = 0.25
MOST_ENTRIES = 200
"""Of each stream, in one read."""

FAILURES = (OSError, TimeoutError, ServerDown)
"""RedisError, Malformed among them."""

logger = logging.getLogger(__name__)


class DeltaReader:
    """Used by one event loop. It reads only while somebody listens."""

    def __init__(self, connect: Connect) -> None:
        """`connect`: to the Redis that workers write to."""
        self._connect = connect
        self._audiences: dict[UUID, Audience] = {}
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._throttle = LogThrottle()

    @property
    def listeners(self) -> int:
        """How many listen. Any thread may ask."""
        return sum(len(each.listening) + len(each.late) for each in list(self._audiences.values()))

    def follow(self, job_id: UUID, hears: Hears, beyond: int = NO_CLAIM) -> Listening:
        """Let one listen to a job: it hears what there is of its answer, then what comes. `leave` ends it.

        `beyond`: claims up to this one are known to be over.
        """
        listening = Listening(job_id, hears, beyond)
        self._audiences.setdefault(job_id, Audience(job_id)).add(listening)
        self._wanted.set()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())
        return listening

    def leave(self, listening: Listening) -> None:
        """Let one no longer listen."""
        audience = self._audiences.get(listening.job_id)
        if audience is None:
            return
        audience.leave(listening)
        if audience.is_empty:
            del self._audiences[listening.job_id]

    def close(self) -> None:
        """Read no more."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        while True:
            await self._wanted.wait()
            try:
                await self._read_while_wanted()
            except FAILURES as err:
                if self._throttle.allows("read"):
                    logger.warning("Parts of answers can't be read", extra={"reason": type(err).__name__})
                self._lose()
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:
                # The task serves all streams of this process, so no error may end it.
                logger.exception("Reading parts of answers fails")
                self._lose()
                await asyncio.sleep(RETRY_SECONDS)

    async def _read_while_wanted(self) -> None:
        async with asyncio.timeout(REPLY_SECONDS):
            connection = await self._connect(_new_connection)
        try:
            while self._audiences:
                await self._catch_up(connection)
                if self._audiences and await self._read(connection):
                    await asyncio.sleep(PAUSE_SECONDS + SECONDS_PER_JOB * len(self._audiences))
            self._wanted.clear()
        finally:
            connection.close()

    def _lose(self) -> None:
        """Tell all who have begun to hear that they will hear no more; begin anew for the others."""
        for audience in self._audiences.values():
            for each in (*audience.listening, *audience.late):
                each.lose()
            audience.listening |= audience.late
            audience.late.clear()
            audience.read_to = START

    async def _catch_up(self, connection: PipelinedConnection) -> None:
        """Give those who came late what the others have heard already."""
        for audience in [each for each in self._audiences.values() if each.late]:
            late, audience.late = audience.late, set()
            # Before the answer comes they may leave, so they have to be where they are looked for.
            audience.listening |= late
            words = ("XRANGE", key_of(audience.job_id), "-", audience.read_to.decode())
            entries = await connection.ask(command(*words))
            _give(audience, entries, late & audience.listening)

    async def _read(self, connection: PipelinedConnection) -> bool:
        """Wait a moment for new entries and pass them on; return whether there were any."""
        asked = {key_of(job_id).encode(): audience for job_id, audience in self._audiences.items()}
        keys = [key_of(job_id) for job_id in self._audiences]
        positions = [audience.read_to.decode() for audience in asked.values()]
        block = str(int(min(MOST_BLOCK_SECONDS, BLOCK_SECONDS + SECONDS_PER_JOB * len(keys)) * 1000))
        words = ("XREAD", "COUNT", str(MOST_ENTRIES), "BLOCK", block, "STREAMS", *keys, *positions)
        streams = await connection.ask(command(*words))
        for key, entries in streams or ():
            audience = asked[key]
            _give(audience, entries, set(audience.listening))
            audience.read_to = entries[-1][0]
        return bool(streams)


def _new_connection() -> PipelinedConnection:
    return PipelinedConnection(parse, MOST_BLOCK_SECONDS + REPLY_SECONDS, lambda _: None)


def _give(audience: Audience, entries: Reply, listening: Iterable[Listening]) -> None:
    """Pass entries, as the server sent them, to those who listen."""
    parts = audience.parts_of(_read_entries(entries))
    if parts:
        for each in listening:
            each.take(parts)


def _read_entries(entries: Reply) -> Sequence[Entry]:
    read = (read_entry(dict(zip(fields[::2], fields[1::2], strict=True))) for _, fields in entries)
    return [entry for entry in read if entry is not None]
