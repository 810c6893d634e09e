"""Sends the parts of answers to those who listen, as they come. One thread sends for all attempts of a process.

Nothing here delays or fails a job: what Redis does not take within seconds is dropped.
"""

import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import monotonic
from typing import Any
from uuid import UUID

from redis import Redis
from redis.client import Pipeline

from shared.background import BackgroundLoop
from shared.breaker import Breaker
from shared.errors import ServerDown
from shared.jobs.deltas import End, Entry, fields_of, key_of
from shared.jobs.job import Job
from shared.logs.throttle import LogThrottle

GATHER_SECONDS = 0.025
"""How long chunks are gathered, after the first ones of an attempt. More would be felt, less would cost more."""

HURRIED_CHUNKS = 2
"""How many chunks of an attempt are sent at once. Of many providers the first one has no text, but the role only."""

RETRY_SECONDS = 0.25
PATIENCE_SECONDS = 2.0
"""How long chunks of a stream are kept for a server that does not answer. A busy machine is not an outage."""

MAX_ENTRIES = 10_000
"""Of one stream: what a call of four minutes makes. Who comes after its first ones are gone waits for the answer."""

ENDED_SECONDS = 60
"""How long a stream is kept after the end of an attempt. Whoever comes later finds the answer, or another attempt."""

CLOSE_SECONDS = 1.0

logger = logging.getLogger(__name__)


class Outlet:
    """What one attempt sends. Only `Relay` changes it, under its lock."""

    def __init__(self, job: Job) -> None:
        self.key = key_of(job.id)
        self._claim = job.claims
        self._sent = 0
        self._waiting: list[bytes] = []
        self._is_lost = False
        self._failing_since: float | None = None
        self._end: End | None = None

    @property
    def is_open(self) -> bool:
        """Whether more chunks are taken."""
        return self._end is None and not self._is_lost

    @property
    def is_new(self) -> bool:
        """Whether nothing was sent, and nothing waits."""
        return not self._sent and not self._waiting

    @property
    def is_at_its_beginning(self) -> bool:
        """Whether its clients wait for the first words."""
        return self._sent + len(self._waiting) < HURRIED_CHUNKS

    def add(self, chunk: bytes) -> None:
        """Add a chunk."""
        self._waiting.append(chunk)

    def end(self, end: End) -> None:
        """Take no more chunks."""
        self._end = self._end or end

    def lose(self) -> None:
        """Take no more chunks: some were dropped, so that those to come are worth nothing."""
        self._is_lost = True
        self._waiting = []

    def put_back(self, entry: Entry, at: float) -> bool:
        """Keep what was taken for another try; return False once that has been of no use for too long.

        The server may have taken it without saying so: listeners pass over what they have heard.
        """
        self._failing_since = self._failing_since or at
        if self._is_lost or at - self._failing_since > PATIENCE_SECONDS:
            return False
        self._waiting = [*entry.chunks, *self._waiting]
        self._sent = entry.start
        return True

    def is_sent(self) -> None:
        """Note that the server has taken what was taken from here."""
        self._failing_since = None

    def take(self) -> Entry:
        """Return what is to be sent next."""
        chunks, self._waiting = self._waiting, []
        entry = Entry(self._claim, self._sent, chunks, End.LOST if self._is_lost else self._end)
        self._sent += len(chunks)
        return entry


class Relay:
    """Safe to use from many threads."""

    def __init__(self, client: Redis, breaker: Breaker, seconds: float) -> None:
        """`client`: used by this relay only. `seconds`: how long a stream is kept after its last entry."""
        self._client = client
        self._breaker = breaker
        self._seconds = int(seconds) + 1
        self._changed = threading.Condition()
        self._outlets: dict[tuple[UUID, int], Outlet] = {}
        self._unsent: dict[Outlet, None] = {}
        self._next_at = 0.0
        self._closed = False
        self._throttle = LogThrottle()
        self.loop = BackgroundLoop("relay", self._send_next)

    def open(self, job: Job) -> Callable[[Mapping[str, Any]], None]:
        """Return what sends a chunk of this claim's answer: at once if it is one of the first, and not after `end`.

        Of an attempt that asks twice, only the answer that has begun to be sent is.
        """
        with self._changed:
            self._outlets.setdefault((job.id, job.claims), Outlet(job))
        return partial(self._add, job)

    def _add(self, job: Job, chunk: Mapping[str, Any]) -> None:
        written = json.dumps(chunk, ensure_ascii=False, separators=(",", ":")).encode()
        with self._changed:
            outlet = self._outlets.get((job.id, job.claims))
            if outlet is None or not outlet.is_open or self._closed:
                return
            hurries = outlet.is_at_its_beginning
            outlet.add(written)
            self._let_send(outlet, hurries=hurries)
        self._start()

    def end(self, job: Job, end: End) -> None:
        """Tell those who listen how this claim's attempt ended, if it has sent anything. The first end counts."""
        with self._changed:
            outlet = self._outlets.get((job.id, job.claims))
            if outlet is not None and outlet.is_open and not outlet.is_new:
                outlet.end(end)
                self._let_send(outlet, hurries=True)

    def forget(self, job: Job) -> None:
        """End this claim's attempt, as lost unless it has ended already; it sends nothing more."""
        self.end(job, End.LOST)
        with self._changed:
            self._outlets.pop((job.id, job.claims), None)

    def close(self) -> None:
        """Send what waits, and no more."""
        with self._changed:
            for outlet in self._outlets.values():
                if outlet.is_open and not outlet.is_new:
                    outlet.end(End.LOST)
                    self._unsent[outlet] = None
            self._closed = True
            self._changed.notify_all()
        self.loop.stop(CLOSE_SECONDS)
        if not self.loop.is_running:
            # Told to stop between two steps, it ends without another one.
            self._send_next()
        self._client.close()

    def _start(self) -> None:
        try:
            self.loop.start()
        except RuntimeError as err:  # the system can't start a thread
            if self._throttle.allows("thread"):
                logger.warning("No thread to stream with", extra={"reason": str(err)})

    def _let_send(self, outlet: Outlet, *, hurries: bool) -> None:
        """Have an outlet sent. Needs the lock."""
        if hurries and not self._breaker.is_open:
            self._next_at = 0.0
        if hurries or not self._unsent:
            self._changed.notify()
        self._unsent[outlet] = None

    def _send_next(self) -> None:
        with self._changed:
            while not self._is_due():
                left = self._next_at - monotonic()
                self._changed.wait(max(0.0, left) if self._unsent else None)
            self._next_at = monotonic() + GATHER_SECONDS
            outlets, self._unsent = list(self._unsent), {}
            entries = [outlet.take() for outlet in outlets]
        if outlets:
            self._send(outlets, entries)
        if self._closed:
            self.loop.stop()

    def _is_due(self) -> bool:
        return self._closed or (bool(self._unsent) and monotonic() >= self._next_at)

    def _send(self, outlets: Sequence[Outlet], entries: Sequence[Entry]) -> None:
        with self._client.pipeline(transaction=False) as pipeline:
            for outlet, entry in zip(outlets, entries, strict=True):
                fields: dict[Any, Any] = dict(fields_of(entry))
                pipeline.xadd(outlet.key, fields, maxlen=MAX_ENTRIES, approximate=True)
                pipeline.expire(outlet.key, self._seconds if entry.end is None else ENDED_SECONDS)
            replies = self._replies(pipeline)
        with self._changed:
            for outlet, entry, reply in zip(outlets, entries, replies[::2], strict=True):
                self._note(outlet, entry, reply)

    def _replies(self, pipeline: Pipeline) -> Sequence[object]:
        """Return the server's replies, each an exception where it refused, for lack of memory perhaps."""
        commands = len(pipeline)
        try:
            replies: Sequence[object] = self._breaker.call(lambda: pipeline.execute(raise_on_error=False))
        except ServerDown as err:
            return [err] * commands
        return replies

    def _note(self, outlet: Outlet, entry: Entry, reply: object) -> None:
        """Note whether an entry was taken, and try again if not: with its chunks or, later, with their loss.

        Needs the lock.
        """
        if not isinstance(reply, Exception):
            outlet.is_sent()
            return
        kept = isinstance(reply, ServerDown) and outlet.put_back(entry, monotonic())
        if not kept:
            outlet.lose()
            if self._throttle.allows("send"):
                logger.warning("Parts of answers were dropped", extra={"reason": type(reply).__name__})
        if kept or outlet in self._outlets.values():
            self._next_at = monotonic() + RETRY_SECONDS
            self._unsent[outlet] = None
