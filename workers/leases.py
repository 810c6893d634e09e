"""One thread a process that renews the leases of the jobs in hand."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from shared.background import BackgroundLoop
from shared.errors import DatabaseUnavailable
from shared.jobs import Job
from workers.claims import Claims

RENEWALS_PER_LEASE = 3

logger = logging.getLogger(__name__)


class Leases:
    """The jobs in hand. A job whose lease can't be renewed is rescued elsewhere; our writes are then fenced off."""

    def __init__(self, claims: Claims, lease_seconds: float) -> None:
        """Renew three times within a lease."""
        self._claims = claims
        self._interval = lease_seconds / RENEWALS_PER_LEASE
        self._held: dict[UUID, Job] = {}
        self._lock = threading.Lock()
        self.loop = BackgroundLoop("leases", self._renew, pause=self._interval)
        self._idle = threading.Condition(self._lock)

    def start(self) -> None:
        """Begin to renew."""
        self.loop.start()

    def close(self) -> None:
        """Stop renewing."""
        self.loop.stop(timeout=0)

    @contextmanager
    def hold(self, job: Job) -> Iterator[None]:
        """Keep the job's lease while the block runs."""
        with self._lock:
            self._held[job.id] = job
        try:
            yield
        finally:
            with self._idle:
                self._held.pop(job.id, None)
                self._idle.notify_all()

    def wait_until_idle(self, timeout: float) -> list[Job]:
        """Wait until no job is in hand; return those that still are after `timeout` seconds."""
        with self._idle:
            self._idle.wait_for(lambda: not self._held, timeout)
            return list(self._held.values())

    def _renew(self) -> None:
        with self._lock:
            held = list(self._held.values())
        try:
            self._claims.renew(held)
        except DatabaseUnavailable:
            logger.warning("Leases not renewed", extra={"jobs": len(held)})
