"""Leaving jobs to the workers that hold them for a while after an outage: they could not renew their leases."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors import DatabaseBusy, DatabaseUnavailable
from workers.jobs.leases import RENEWALS_PER_LEASE

SILENCE_SECONDS = 2.5
"""Sweeps come every second. After so long without one the broker was away, and PostgreSQL may have been too."""

SILENCE_PER_LEASE = 1 / 6
"""With a long lease, a short silence can't be the reason that it ran out."""


class LeaseGracePeriod:
    """Lasts as long as a lease, from the end of an outage on."""

    def __init__(self, lease_seconds: float) -> None:
        self._lease_seconds = lease_seconds
        self._silence_seconds = max(SILENCE_SECONDS, lease_seconds * SILENCE_PER_LEASE)
        self._until = 0.0
        self._swept_at: float | None = None
        self._was_silent = False

    @property
    def is_over(self) -> bool:
        """Whether a lease that has run out is its worker's fault."""
        return time.monotonic() >= self._until

    @contextmanager
    def round(self) -> Iterator[None]:
        """Begin when this round of sweeps comes late.

        Only once for rounds that come late: on a machine where they always do, jobs have to be rescued too.
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
        """Pass a sweep on; begin when one of its steps finds PostgreSQL away, or waits for it for a part of a lease."""
        while True:
            started = time.monotonic()
            try:
                step = next(sweep, None)
            except DatabaseBusy:
                raise
            except DatabaseUnavailable:
                self._begin()
                raise
            finally:
                if time.monotonic() - started > self._lease_seconds / RENEWALS_PER_LEASE:
                    self._begin()
            if step is None:
                return
            yield step

    def _begin(self) -> None:
        self._until = time.monotonic() + self._lease_seconds
