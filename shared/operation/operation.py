"""One reading of everything an operator asks first, kept for a moment, so that many readers cost as much as one."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from shared.bootstrap import Services
from shared.operation.audits import EndedAudits, read_audits
from shared.operation.providers import ProviderState, ProviderStates
from shared.operation.queues import QueueState, read_queues
from shared.operation.workers import WorkerBoard, WorkerState
from shared.redis import connect

KEPT_SECONDS = 1.0
DEAR_SHARE = 0.05
"""Reading takes at most this share of the time: what takes 100 ms is read every two seconds."""

T = TypeVar("T")


class Kept(Generic[T]):
    """A reading that is made anew when somebody asks and the last one is too old. Safe to use from many threads."""

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._last: tuple[T] | None = None
        self._until = 0.0

    def read(self) -> T:
        """Return the reading, at most a second old unless it is expensive; raise what reading raises."""
        with self._lock:
            if self._last is None or time.monotonic() >= self._until:
                began = time.monotonic()
                self._last = (self._read(),)
                took = time.monotonic() - began
                self._until = began + max(KEPT_SECONDS, took / DEAR_SHARE)
            return self._last[0]


class Operation:
    """What an operator asks first. Every figure is the same whichever process is asked."""

    def __init__(self, services: Services) -> None:
        settings, guard = services.settings, services.cache.l2.breaker
        self._client = connect(settings.redis_cache_url)
        self.board = WorkerBoard(self._client, guard)
        self.queue_names = tuple(settings.queue_providers)
        self._queues = Kept(lambda: read_queues(services.database, self.queue_names))
        self._providers = Kept(ProviderStates(self._client, guard, services.offers, settings.providers).read)
        self._workers = Kept(self.board.read)
        self._audits = Kept(lambda: read_audits(services.database))

    def queues(self) -> tuple[QueueState, ...]:
        """Return the state of each queue of jobs; raise DatabaseUnavailable."""
        return self._queues.read()

    def providers(self) -> tuple[ProviderState, ...] | None:
        """Return the state of each provider that can be asked; None if Redis is away, and nobody knows."""
        return self._providers.read()

    def workers(self) -> tuple[WorkerState, ...] | None:
        """Return the workers that are alive, by name; None if Redis is away, and nobody knows."""
        return self._workers.read()

    def audits(self) -> tuple[EndedAudits, ...]:
        """Return how audits of hits have ended so far; raise DatabaseUnavailable."""
        return self._audits.read()

    def close(self) -> None:
        """Give up the connections to Redis."""
        self._client.close()
