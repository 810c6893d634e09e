"""Threads that wait for jobs to end. A waiter holds its thread and nothing else."""

import threading
import time
from collections import defaultdict
from uuid import UUID

from shared.errors import DatabaseUnavailable, NotFound
from shared.job_store import JobStore
from shared.jobs import Job

REREAD_SECONDS = 5.0


class Waiters:
    """A bounded number of waiting threads, woken by the end of their job."""

    def __init__(self, jobs: JobStore, limit: int) -> None:
        """`limit`: how many may wait at once; one more does not wait at all."""
        self._jobs = jobs
        self._limit = limit
        self._lock = threading.Lock()
        self._waiting: dict[UUID, set[threading.Event]] = defaultdict(set)
        self._count = 0
        self._released = False

    @property
    def count(self) -> int:
        """How many are waiting now."""
        return self._count

    def wait(self, job: Job, seconds: float) -> tuple[Job, bool]:
        """Hold up to `seconds` for the job's end; return it as last read, and whether we were let wait.

        The order matters: register, read, sleep. A job that ends between its reading and the sleep then wakes us.
        Every few seconds the job is read again, in case its event was lost.
        """
        woken = self._register(job.id)
        if woken is None:
            return job, False
        deadline = time.monotonic() + seconds
        try:
            while True:
                job = self._read(job)
                left = deadline - time.monotonic()
                if job.status.ended or self._released or left <= 0:
                    return job, True
                woken.wait(min(left, REREAD_SECONDS))
                woken.clear()
        finally:
            self._forget(job.id, woken)

    def wake(self, job_id: UUID) -> None:
        """Make those who wait for this job read it again."""
        with self._lock:
            for woken in self._waiting.get(job_id, ()):
                woken.set()

    def wake_all(self) -> None:
        """Make everyone read again: events may have been missed."""
        with self._lock:
            for group in self._waiting.values():
                for woken in group:
                    woken.set()

    def release(self) -> None:
        """Let everyone go with what they have, and let nobody wait any more: the process is stopping."""
        self._released = True
        self.wake_all()

    def _register(self, job_id: UUID) -> threading.Event | None:
        woken = threading.Event()
        with self._lock:
            if self._count >= self._limit or self._released:
                return None
            self._count += 1
            self._waiting[job_id].add(woken)
        return woken

    def _forget(self, job_id: UUID, woken: threading.Event) -> None:
        with self._lock:
            self._count -= 1
            self._waiting[job_id].discard(woken)
            if not self._waiting[job_id]:
                del self._waiting[job_id]

    def _read(self, job: Job) -> Job:
        try:
            return self._jobs.get(job.id)
        except (DatabaseUnavailable, NotFound):
            return job
