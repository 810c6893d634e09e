"""Leaving jobs to the workers that hold them for a while after PostgreSQL was away: they could not renew leases."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors import DatabaseUnavailable
from workers.leases import RENEWALS_PER_LEASE


class Respite:
    """Lasts as long as a lease, from the end of an outage on."""

    def __init__(self, lease_seconds: float) -> None:
        """Begin without one."""
        self._lease_seconds = lease_seconds
        self._until = 0.0

    @property
    def is_over(self) -> bool:
        """Whether a lease that has run out is its worker's fault."""
        return time.monotonic() >= self._until

    @contextmanager
    def after_outage(self) -> Iterator[None]:
        """Begin when the block finds PostgreSQL away, or waits for it so long that leases may have run out."""
        started = time.monotonic()
        try:
            yield
        except DatabaseUnavailable:
            self._begin()
            raise
        if time.monotonic() - started > self._lease_seconds / RENEWALS_PER_LEASE:
            self._begin()

    def _begin(self) -> None:
        self._until = time.monotonic() + self._lease_seconds
