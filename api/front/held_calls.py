"""How held calls go on: those whose jobs have ended together read them together, and each job once."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from uuid import UUID

from api.front.lane import Lane
from api.front.read_together import ReadTogether
from api.front.waking import awoken
from api.http.reply import Reply
from api.jobs.shown import SharedJob
from api.prefer_wait import Held
from shared.errors import DatabaseUnavailable

THREADS = 4
WITHOUT_END = 1 << 62
"""Queue size for calls whose job has ended: no limit here, because the number of waiters is limited already."""

MAX_JOBS = 10
"""In one read, which has to end within a transaction's time: results may be large."""

ReadJobs = Callable[[Sequence[UUID]], Mapping[UUID, SharedJob]]
"""Reads jobs; those that don't exist are missing. May block, and raises DatabaseUnavailable."""


class HeldCalls:
    """The held calls of one event loop."""

    def __init__(self, read: ReadJobs) -> None:
        self.lane = Lane("ended", THREADS, WITHOUT_END)
        self._jobs: ReadTogether[UUID, SharedJob] = ReadTogether(read, self.lane, WITHOUT_END, MAX_JOBS)

    async def reply(self, held: Held, gone: "asyncio.Future[None]") -> Reply:
        """Wait, without a thread, until the reply is ready. `gone`: done when the client has disconnected."""
        outcome: Held | Reply = held
        while isinstance(outcome, Held):
            woken = awoken(outcome)
            left = max(0.0, outcome.until - time.monotonic())
            await asyncio.wait((woken, gone), timeout=left, return_when=asyncio.FIRST_COMPLETED)
            outcome = await self.resume(outcome, last=gone.done())
        return outcome

    async def resume(self, held: Held, *, last: bool = False) -> Reply | Held:
        """Return the reply if the job has ended or the time is over, else a new `Held`. `last`: reply in any case."""
        held.leave()
        try:
            found = await self._jobs.get(held.job.id)
        except DatabaseUnavailable:
            found = None
        job = None if found is None else found.seen_by(held.viewer)
        return await self.lane.run(partial(held.go_on, job or held.job, last=last))
