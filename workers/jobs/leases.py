"""Renews the leases of running jobs in one thread, and finds out which claims no longer hold."""

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
"""The longest time until an attempt learns that its job was cancelled."""

SLACK_SECONDS = 60.0
"""Added to the expected time of each step, for PostgreSQL, Redis and a busy machine."""

logger = logging.getLogger(__name__)


class Lease:
    """The lease of a job that this worker runs. It is renewed only while no step of the attempt is late.

    `unused_call`: the call that was recorded with the claim, as long as it is not made.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.stop = Stop()
        self.reported = False
        self._until = monotonic() + SLACK_SECONDS
        self.unused_call = job.begun_call

    def makes(self, call_id: UUID) -> None:
        """Note that this call is made now."""
        if call_id == self.unused_call:
            self.unused_call = None

    @property
    def overdue(self) -> bool:
        """Whether the attempt is stuck: its step should have ended."""
        return monotonic() > self._until

    def expect(self, seconds: float) -> None:
        """Begin a step that ends by itself within this many seconds.

        Raises ClaimLost when the attempt must stop, and DeadlineExceeded after the deadline of its job.
        """
        self.stop.check()
        if now() > self.job.deadline_at:
            raise DeadlineExceeded
        self._until = monotonic() + seconds + SLACK_SECONDS


class Leases:
    """The leases of all jobs that this worker runs.

    Maintenance queues a job again if its lease can't be renewed. Then the fence stops this worker's writes to it once
    another worker has claimed it.
    """

    def __init__(self, claims: Claims, lease_seconds: float) -> None:
        self._claims = claims
        self._interval = lease_seconds / RENEWALS_PER_LEASE
        self._renew_at = monotonic() + self._interval
        self._held: dict[tuple[UUID, int], Lease] = {}
        self._lock = threading.Lock()
        self.loop = BackgroundLoop("leases", self._look, pause=min(self._interval, LOOK_SECONDS))
        self._idle = threading.Condition(self._lock)

    def start(self) -> None:
        """Start renewing."""
        self.loop.start()

    def close(self) -> None:
        """Stop renewing."""
        self.loop.stop(timeout=0)

    def take(self, job: Job) -> Lease:
        """Renew this claim's lease until it is released; return the lease."""
        lease = Lease(job)
        with self._lock:
            self._held[job.id, job.claims] = lease
        return lease

    def release(self, lease: Lease) -> None:
        """Stop renewing a lease: the attempt has ended."""
        with self._idle:
            self._held.pop((lease.job.id, lease.job.claims), None)
            self._idle.notify_all()

    def wait_until_idle(self, timeout: float) -> list[Job]:
        """Wait until no job is running; return the jobs that still run after `timeout` seconds."""
        with self._idle:
            self._idle.wait_for(lambda: not self._held, timeout)
            return [lease.job for lease in self._held.values()]

    def look(self) -> None:
        """Renew the leases that are due, and stop the attempts whose claims no longer hold."""
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
