"""One thread a process that renews the leases of the jobs in hand, and learns which of them are no longer ours."""

import logging
import threading
from time import monotonic
from uuid import UUID

from shared.background import BackgroundLoop
from shared.errors import DatabaseUnavailable
from shared.jobs.errors import DeadlineExceeded
from shared.jobs.job import Job
from shared.times import now
from workers.jobs.claims import Claims
from workers.jobs.stop import Stop

RENEWALS_PER_LEASE = 3
LOOK_SECONDS = 2.0
"""How soon an attempt hears that its job was cancelled."""

SLACK_SECONDS = 60.0
"""Beyond what a step was expected to take: for PostgreSQL, Redis, and a machine that is busy."""

logger = logging.getLogger(__name__)


class Lease:
    """A job in hand. It is renewed only as long as the job's attempt is within its own deadlines."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.stop = Stop()
        self.reported = False
        self._until = monotonic() + SLACK_SECONDS

    @property
    def overdue(self) -> bool:
        """Whether the attempt is stuck where it should have ended long ago."""
        return monotonic() > self._until

    def expect(self, seconds: float) -> None:
        """Begin a step that ends by itself within so many seconds.

        Raises ClaimLost when the attempt has to stop, and DeadlineExceeded past the deadline of its job.
        """
        self.stop.check()
        if now() > self.job.deadline_at:
            raise DeadlineExceeded
        self._until = monotonic() + seconds + SLACK_SECONDS


class Leases:
    """The jobs in hand. A job whose lease can't be renewed is rescued elsewhere; our writes are then fenced off."""

    def __init__(self, claims: Claims, lease_seconds: float) -> None:
        self._claims = claims
        self._interval = lease_seconds / RENEWALS_PER_LEASE
        self._renew_at = monotonic() + self._interval
        self._held: dict[tuple[UUID, int], Lease] = {}
        self._lock = threading.Lock()
        self.loop = BackgroundLoop("leases", self._look, pause=min(self._interval, LOOK_SECONDS))
        self._idle = threading.Condition(self._lock)

    def start(self) -> None:
        """Begin to renew."""
        self.loop.start()

    def close(self) -> None:
        """Stop renewing."""
        self.loop.stop(timeout=0)

    def take(self, job: Job) -> Lease:
        """Keep this claim's lease until it is released."""
        lease = Lease(job)
        with self._lock:
            self._held[job.id, job.claims] = lease
        return lease

    def release(self, lease: Lease) -> None:
        """Let the lease go: the attempt has ended."""
        with self._idle:
            self._held.pop((lease.job.id, lease.job.claims), None)
            self._idle.notify_all()

    def wait_until_idle(self, timeout: float) -> list[Job]:
        """Wait until no job is in hand; return those that still are after `timeout` seconds."""
        with self._idle:
            self._idle.wait_for(lambda: not self._held, timeout)
            return [lease.job for lease in self._held.values()]

    def look(self) -> None:
        """Renew the leases that it is time for, and stop the attempts whose claims no longer hold."""
        with self._lock:
            held = list(self._held.values())
        timely = [each for each in held if not each.overdue]
        if monotonic() >= self._renew_at:
            self._claims.renew([each.job for each in timely])
            self._renew_at = monotonic() + self._interval
        ours = self._claims.still_hold([each.job for each in held])
        for each in held:
            if (each.job.id, each.job.claims) not in ours:
                each.stop.set()
            elif each.overdue:
                _report(each)

    def _look(self) -> None:
        try:
            self.look()
        except DatabaseUnavailable:
            logger.warning("Leases not renewed", extra={"jobs": len(self._held)})


def _report(lease: Lease) -> None:
    if not lease.reported:
        lease.reported = True
        logger.error("Attempt is stuck; its lease is not renewed", extra={"job_id": str(lease.job.id)})
