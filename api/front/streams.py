"""Calls whose clients want the answer in pieces: each is a coroutine that waits for the end of its stream."""

import asyncio
import time
from functools import partial

from api.front.exchange import Exchange
from api.front.held_calls import HeldCalls
from api.front.streamed_call import StreamedCall
from api.front.unread import UnreadBytes
from api.front.waking import awoken
from api.http.listening import Listens
from api.http.reply import Reply
from api.prefer_wait import Held
from api.streams.reader import DeltaReader

LAST_PIECES_SECONDS = 2.0
"""How long after its job's end a stream may take to end. The last pieces are on their way then, if they were sent."""


class Streams:
    """Serves held answers in pieces. Used by one event loop."""

    def __init__(self, reader: DeltaReader, unread: UnreadBytes, held_calls: HeldCalls) -> None:
        """Take what all streams share."""
        self.reader = reader
        self._unread = unread
        self._held_calls = held_calls

    def begin(
        self,
        exchange: Exchange,
        listens: Listens,
        headers: list[tuple[str, str]],
    ) -> StreamedCall:
        """Return a call that has sent nothing yet. `headers`: in addition to those of its stream."""
        return StreamedCall(exchange, listens, headers, self._unread)

    async def serve(self, held: Held, call: StreamedCall, gone: "asyncio.Future[None]") -> Reply | None:
        """Send the pieces of an answer as they come; return a reply if none was sent, to be sent as a whole.

        `gone`: done when the client has disconnected.
        """
        try:
            reply = await self._serve(held, call, gone)
            if gone.done() and not call.over.done():
                await self._held_calls.lane.run(call.listens.told.abandoned)
            return reply
        finally:
            call.close()

    async def _serve(self, held: Held, call: StreamedCall, gone: "asyncio.Future[None]") -> Reply | None:
        outcome: Held | Reply = held
        while isinstance(outcome, Held):
            await self._listen(outcome, call, gone)
            if call.over.done() or (gone.done() and call.has_begun):
                reason = call.over.result() if call.over.done() else None
                await self._held_calls.lane.run(partial(outcome.end_stream, reason))
                return None
            # Who has heard a part of an answer can't hear another one.
            outcome = await self._held_calls.resume(outcome, last=gone.done() or call.has_text)
        if not call.has_begun:
            return outcome
        call.finish(outcome)
        return None

    async def _listen(self, held: Held, call: StreamedCall, gone: "asyncio.Future[None]") -> None:
        """Let the client hear the answer until its stream or its job has ended, its time is over, or it is gone."""
        woken = awoken(held)
        listening = self.reader.follow(held.job.id, call, call.listens.beyond)
        try:
            while not (gone.done() or woken.done() or call.over.done()):
                left = held.until - time.monotonic()
                if left <= 0:
                    return
                wait = min(left, call.quiet_seconds)
                waiting = (woken, gone, call.over)
                done, _ = await asyncio.wait(waiting, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
                if not done and not call.quiet_seconds:
                    call.comment()
            if call.ends_by_pieces and not held.services.waiters.released:
                ending = (gone, call.over)
                await asyncio.wait(ending, timeout=LAST_PIECES_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.reader.leave(listening)
