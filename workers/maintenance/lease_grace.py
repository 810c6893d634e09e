"""The lease grace period: after an outage, jobs stay with workers that could not renew their leases."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors import DatabaseBusy, DatabaseUnavailable
from workers.jobs.leases import RENEWALS_PER_LEASE

SILENCE_SECONDS = 2.5
"""Sweeps run every second. A gap of this length means that the broker was away, and perhaps PostgreSQL too."""

SILENCE_PER_LEASE = 1 / 6
"""For long leases the gap must be at least this part of a lease: a shorter gap can't be why a lease expired."""

RETURN_SECONDS = 4.0
"""How long a worker may need to renew its leases once PostgreSQL answers again.

A transaction that hangs is cut after 1.8 s, probes come once a second, and the next renewal a part of a lease later.
With leases of a few seconds that is as long as a lease.
"""


class LeaseGracePeriod:
    """A pause after an outage, in which no lease counts as expired: as long as a worker needs to renew its leases."""

    def __init__(self, lease_seconds: float) -> None:
        self._lease_seconds = lease_seconds
        self._silence_seconds = max(SILENCE_SECONDS, lease_seconds * SILENCE_PER_LEASE)
        self._until = 0.0
        self._swept_at: float | None = None
        self._was_silent = False

    @property
    def is_over(self) -> bool:
        """Whether an expired lease means that its worker has failed."""
        return time.monotonic() >= self._until

    @contextmanager
    def round(self) -> Iterator[None]:
        """Run a round of sweeps; begin the grace period if the round is late.

        When several rounds in a row are late, only the first one begins it: on a slow machine jobs must be rescued too.
        """
        silent = self._swept_at is not None and time.monotonic() - self._swept_at > self._silence_seconds
        if silent and not self._was_silent:
            self._begin()
        self._was_silent = silent
        try:
            yield
        finally:
            self._swept_at = time.monotonic()

    def watch(self, sweep: Iterator[int]) -> Iterator[int]:
        """Pass on a sweep's steps; begin the grace period if one finds PostgreSQL away, or waits for it too long."""
        while True:
            started = time.monotonic()
            try:
                step = next(sweep, None)
            except DatabaseBusy:
                raise
            except DatabaseUnavailable:
                self._begin(RETURN_SECONDS)
                raise
            finally:
                if time.monotonic() - started > self._lease_seconds / RENEWALS_PER_LEASE:
                    self._begin()
            if step is None:
                return
            yield step

    def _begin(self, return_seconds: float = 0.0) -> None:
        # What was only slow may be so again and again: no longer than a lease, or nothing would ever be rescued.
        self._until = max(self._until, time.monotonic() + self._lease_seconds + return_seconds)
