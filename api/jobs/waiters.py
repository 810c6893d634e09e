"""Calls that wait for a job to end. A waiter is an entry here: it holds no thread and no connection."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from api.jobs.store import JobStore
from shared.background import BackgroundLoop
from shared.errors import DatabaseUnavailable

READ_AFTER_SECONDS = 0.05
"""When a new waiter's job is read, because it may have ended just before. Jobs of fast models are heard of sooner."""

REREAD_SECONDS = 5.0
PAUSE_SECONDS = 1.0
"""Pause between two attempts to read while PostgreSQL is away."""

BATCH = 1000


@dataclass(slots=True, eq=False)
class Waiter:
    """One call that waits for a job. Only `Waiters` changes it."""

    job_id: UUID
    woken: bool = False
    callback: Callable[[], None] | None = None


class Waiters:
    """A limited number of waiters, woken when their job ends.

    The order matters: register, read, sleep. Soon after a registration one thread asks PostgreSQL whether the job has
    already ended, for all new waiters in one statement. Every few seconds it asks for all waiters, in case an event was
    lost.
    """

    def __init__(self, jobs: JobStore, limit: int) -> None:
        """`limit`: how many calls may wait at once; one more does not wait."""
        self._jobs = jobs
        self._limit = limit
        self._changed = threading.Condition()
        self._waiting: dict[UUID, set[Waiter]] = defaultdict(set)
        self._unread: set[UUID] = set()
        self._unread_since = 0.0
        self._read_at = time.monotonic()
        self._count = 0
        self._released = False
        self.loop = BackgroundLoop("waiters", self._read)

    @property
    def count(self) -> int:
        """The number of waiters."""
        return self._count

    @property
    def released(self) -> bool:
        """Whether no call may wait any more, because the process is stopping."""
        return self._released

    def register(self, job_id: UUID) -> Waiter | None:
        """Return a new waiter for a job, None when there is no room. The caller must call `forget` afterwards."""
        try:
            self.loop.start()
        except RuntimeError:  # the system can't start a thread
            return None
        waiter = Waiter(job_id)
        with self._changed:
            if self._count >= self._limit or self._released:
                return None
            if self._count == 0:
                self._read_at = time.monotonic()
            self._count += 1
            self._waiting[job_id].add(waiter)
            self._let_read([job_id])
        return waiter

    def when_woken(self, waiter: Waiter, callback: Callable[[], None]) -> None:
        """Call `callback` once, from any thread, when the waiter is woken; at once if it already is."""
        with self._changed:
            waiter.callback = callback
            woken = waiter.woken
        if woken:
            callback()

    def forget(self, waiter: Waiter) -> None:
        """Remove a waiter."""
        with self._changed:
            group = self._waiting.get(waiter.job_id)
            if group is None or waiter not in group:
                return
            group.discard(waiter)
            self._count -= 1
            if not group:
                del self._waiting[waiter.job_id]
                self._unread.discard(waiter.job_id)

    def wake(self, job_id: UUID) -> None:
        """Wake the waiters of this job: it has ended."""
        with self._changed:
            callbacks = _woken(self._waiting.get(job_id, ()))
        _call(callbacks)

    def wake_all(self) -> None:
        """Read the state of all jobs with waiters at once: events may have been lost."""
        with self._changed:
            self._let_read(self._waiting)

    def release(self) -> None:
        """Wake all waiters and accept no more: the process is stopping."""
        with self._changed:
            self._released = True
            callbacks = _woken(waiter for group in self._waiting.values() for waiter in group)
            self._changed.notify_all()
        self.loop.stop(timeout=0)
        _call(callbacks)

    def _read(self) -> None:
        job_ids = self._next_unread()
        try:
            ended = self._jobs.ended(job_ids) if job_ids else ()
        except DatabaseUnavailable:
            self._put_back(job_ids)
            return
        for job_id in ended:
            self.wake(job_id)

    def _next_unread(self) -> list[UUID]:
        """Wait for jobs to read and return them; return none when the process is stopping."""
        with self._changed:
            while not self._released:
                if self._waiting and time.monotonic() - self._read_at >= REREAD_SECONDS:
                    self._unread.update(self._waiting)
                    self._read_at = time.monotonic()
                due = self._unread_since + READ_AFTER_SECONDS if self._unread else self._read_at + REREAD_SECONDS
                left = due - time.monotonic()
                if self._unread and left <= 0:
                    return [self._unread.pop() for _ in range(min(BATCH, len(self._unread)))]
                self._changed.wait(max(0.0, left) if self._waiting else None)
        return []

    def _let_read(self, job_ids: Iterable[UUID]) -> None:
        """Have these jobs read. Needs the lock."""
        if not self._unread:
            self._unread_since = time.monotonic()
            self._changed.notify()
        self._unread.update(job_ids)

    def _put_back(self, job_ids: list[UUID]) -> None:
        """Read these jobs again after a pause."""
        with self._changed:
            self._changed.wait_for(lambda: self._released, PAUSE_SECONDS)
            self._unread.update(job_id for job_id in job_ids if job_id in self._waiting)


def _woken(waiters: Iterable[Waiter]) -> list[Callable[[], None]]:
    """Mark waiters as woken; return the callbacks to call, each once."""
    callbacks = []
    for waiter in waiters:
        if not waiter.woken and waiter.callback is not None:
            callbacks.append(waiter.callback)
        waiter.woken = True
    return callbacks


def _call(callbacks: Iterable[Callable[[], None]]) -> None:
    for callback in callbacks:
        callback()
