"""Keeps the copy of all keys up to date: after announcements at once, and without them twice a second."""

import logging
import queue
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from api.access.known_keys import KnownKeys
from shared.background import BackgroundLoop
from shared.errors import DatabaseUnavailable

POLL_SECONDS = 0.5
"""A key that is changed without an announcement is changed in every process within this time and a read."""

SAVE_SECONDS = 30.0
"""How often the source learns when keys were last used."""

logger = logging.getLogger(__name__)


class KeyRefresh:
    """The background loop of one process. One that asks for no keys (`keys` is None) has nothing to refresh."""

    def __init__(self, keys: KnownKeys | None, acknowledge: Callable[[str], object]) -> None:
        """`acknowledge`: called with the id of an announced change, once the copy includes it."""
        self._keys = keys
        self._acknowledge = acknowledge
        self._announced: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._saved_at = time.monotonic()
        self.loops = [] if keys is None else [BackgroundLoop("api_keys", partial(self._refresh_next, keys))]

    def announced(self, change_id: str) -> None:
        """Refresh now: keys have changed."""
        if self._keys is None:
            self._acknowledge(change_id)
        else:
            self._announced.put(change_id)

    def start(self) -> None:
        """Start the loop."""
        for loop in self.loops:
            loop.start()

    def close(self) -> None:
        """Stop, and save when keys were last used."""
        for loop in self.loops:
            loop.stop()
        if self._keys is not None:
            with suppress(DatabaseUnavailable):
                self._keys.save_used()

    def _refresh_next(self, keys: KnownKeys) -> None:
        change_ids = self._next_announced()
        try:
            keys.refresh()
            if time.monotonic() - self._saved_at >= SAVE_SECONDS:
                self._saved_at = time.monotonic()
                keys.save_used()
        except DatabaseUnavailable:
            logger.debug("API keys not refreshed")
            return
        for change_id in change_ids:
            self._acknowledge(change_id)

    def _next_announced(self) -> list[str]:
        """Wait for announcements, but not for long; return those that have come."""
        try:
            found = [self._announced.get(timeout=POLL_SECONDS)]
        except queue.Empty:
            return []
        while not self._announced.empty():
            found.append(self._announced.get())
        return found
