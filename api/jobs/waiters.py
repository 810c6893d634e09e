"""Who waits for the end of which job. A waiter is an entry here: it holds no thread and no connection."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from api.jobs.store import JobStore
from shared.background import BackgroundLoop
from shared.errors import DatabaseUnavailable

REREAD_SECONDS = 5.0
PAUSE_SECONDS = 1.0
"""Between two readings while PostgreSQL is away."""

BATCH = 1000


@dataclass(slots=True, eq=False)
class Waiter:
    """One call that waits for a job. Only `Waiters` changes it."""

    job_id: UUID
    woken: bool = False
    callback: Callable[[], None] | None = None


class Waiters:
    """A bounded number of waiters, woken by the end of their job.

    The order matters: register, read, sleep. Right after a registration one thread asks PostgreSQL whether the job has
    ended already, for all new waiters in one statement. Every few seconds it asks for all of them, in case an event
    was lost.
    """

    def __init__(self, jobs: JobStore, limit: int) -> None:
        """`limit`: how many may wait at once; one more does not wait at all."""
        self._jobs = jobs
        self._limit = limit
        self._changed = threading.Condition()
        self._waiting: dict[UUID, set[Waiter]] = defaultdict(set)
        self._unread: set[UUID] = set()
        self._read_at = time.monotonic()
        self._count = 0
        self._released = False
        self.loop = BackgroundLoop("waiters", self._read)

    @property
    def count(self) -> int:
        """How many are waiting now."""
        return self._count

    @property
    def released(self) -> bool:
        """Whether nobody may wait any more: the process is stopping."""
        return self._released

    def register(self, job_id: UUID) -> Waiter | None:
        """Begin to wait for a job; None where there is no place. Who registers has to `forget`."""
        try:
            self.loop.start()
        except RuntimeError:  # the system has no thread for us
            return None
        waiter = Waiter(job_id)
        with self._changed:
            if self._count >= self._limit or self._released:
                return None
            if self._count == 0:
                self._read_at = time.monotonic()
            self._count += 1
            self._waiting[job_id].add(waiter)
            self._unread.add(job_id)
            self._changed.notify()
        return waiter

    def when_woken(self, waiter: Waiter, callback: Callable[[], None]) -> None:
        """Call `callback`, from any thread and once, when the waiter is woken; at once if it is already."""
        with self._changed:
            waiter.callback = callback
            woken = waiter.woken
        if woken:
            callback()

    def forget(self, waiter: Waiter) -> None:
        """End a waiting."""
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
        """Wake those who wait for this job: it has ended."""
        with self._changed:
            callbacks = _woken(self._waiting.get(job_id, ()))
        _call(callbacks)

    def wake_all(self) -> None:
        """Look at once after every job that somebody waits for: events may have been missed."""
        with self._changed:
            self._unread.update(self._waiting)
            self._changed.notify()

    def release(self) -> None:
        """Wake everyone, and let nobody wait any more: the process is stopping."""
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
        """Return which jobs are to be read now, as soon as there are any; none at the end."""
        with self._changed:
            while not self._released:
                if self._waiting and time.monotonic() - self._read_at >= REREAD_SECONDS:
                    self._unread.update(self._waiting)
                    self._read_at = time.monotonic()
                if self._unread:
                    return [self._unread.pop() for _ in range(min(BATCH, len(self._unread)))]
                due = self._read_at + REREAD_SECONDS - time.monotonic()
                self._changed.wait(max(0.0, due) if self._waiting else None)
        return []

    def _put_back(self, job_ids: list[UUID]) -> None:
        """Read them again after a pause."""
        with self._changed:
            self._changed.wait_for(lambda: self._released, PAUSE_SECONDS)
            self._unread.update(job_id for job_id in job_ids if job_id in self._waiting)


def _woken(waiters: Iterable[Waiter]) -> list[Callable[[], None]]:
    """Mark waiters as woken; return who has to be told, each once."""
    callbacks = []
    for waiter in waiters:
        if not waiter.woken and waiter.callback is not None:
            callbacks.append(waiter.callback)
        waiter.woken = True
    return callbacks


def _call(callbacks: Iterable[Callable[[], None]]) -> None:
    for callback in callbacks:
        callback()
