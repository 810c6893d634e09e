"""Limits of what may wait for workers. Beyond them new jobs are refused, so that accepted jobs end in time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import TextClause, text

from api.jobs.gauge import Count, Gauge
from shared.db.engine import Database
from shared.domain.request import Client

KEPT_SHARE = 10
LITTLE_SHARE = 100
"""One in how many queued jobs is kept for tenants that have little waiting, and how little that is."""

# In the order of an index of queued jobs only: otherwise PostgreSQL may read through jobs that have ended.
_QUEUED_JOBS = text("""
    SELECT count(*) FROM (
        SELECT publish_at FROM jobs WHERE status = 'queued' ORDER BY publish_at LIMIT :limit) AS queued
""")

_PICTURE_BYTES = text("""
    SELECT coalesce(sum(octet_length(content)), 0) FROM pictures WHERE sha256 IN (
        SELECT picture_sha256 FROM jobs WHERE status IN ('queued', 'in_progress') AND picture_sha256 IS NOT NULL)
""")

_QUEUED_OF_TENANT = text("""
    SELECT count(*) FROM (
        SELECT FROM jobs WHERE status = 'queued' AND key_id IS NOT NULL AND tenant = :tenant LIMIT :limit) AS queued
""")


class QueueLimits:
    """The limits of jobs that no worker has taken, and of bytes of the pictures that live jobs need.

    Where clients have keys, no tenant alone can fill the queue: its last tenth is kept for those with little in it.
    """

    def __init__(self, database: Database, max_jobs: int, max_picture_bytes: int) -> None:
        self._database = database
        self._little = max_jobs // LITTLE_SHARE
        self._kept = max_jobs // KEPT_SHARE if self._little else 0
        self._jobs = Gauge(
            "jobs",
            max_jobs,
            lambda: self._read(_QUEUED_JOBS, limit=max_jobs),
            "{} jobs wait already, as many as MAX_QUEUED_JOBS allows. Try again later.",
        )
        self._picture_bytes = Gauge(
            "picture_bytes",
            max_picture_bytes,
            lambda: self._read(_PICTURE_BYTES),
            "Pictures of {} bytes wait already, as many as MAX_PICTURE_BYTES_WAITING allows. Try again later.",
        )

    @property
    def gauges(self) -> tuple[Gauge, ...]:
        """What waits, of each kind."""
        return self._jobs, self._picture_bytes

    @contextmanager
    def room(self, picture_bytes: int, client: Client) -> Iterator["Room"]:
        """Reserve room for one job while it is made; raise QueueFull when there is none, or DatabaseUnavailable."""
        wanted = [(self._jobs, 1, self._kept_from(client))]
        if picture_bytes:
            wanted.append((self._picture_bytes, picture_bytes, 0))
        taken = []
        room = Room()
        try:
            for gauge, amount, kept in wanted:
                gauge.take(amount, kept)
                taken.append((gauge, amount))
            yield room
        finally:
            for gauge, amount in taken:
                gauge.settle(amount, used=room.used)

    def _kept_from(self, client: Client) -> int:
        """Return how much room is kept for others: none where there are no keys, or this tenant has little waiting."""
        if client.key_id is None or not self._kept or (self._jobs.waiting or 0) < self._jobs.limit - self._kept:
            return 0
        found = self._read(_QUEUED_OF_TENANT, tenant=client.tenant, limit=self._little).value
        return self._kept if found >= self._little else 0

    def _read(self, statement: TextClause, **parameters: int | str) -> Count:
        with self._database.begin() as connection:
            began_at = time.monotonic()
            value = int(connection.execute(statement, parameters).scalar_one())
            return Count(value, began_at, time.monotonic() - began_at)


class Room:
    """Room that is reserved for a job; returned unless `used` is set because the job was made."""

    used = False
