"""Keeps a failing server from slowing requests down."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from shared.errors import ServerDown

FAILURES_TO_OPEN = 3
SLOW_SECONDS = 0.05
PROBE_INTERVAL_SECONDS = 1.0

logger = logging.getLogger(__name__)
T = TypeVar("T")


class Breaker:
    """Opens after a few failures in a row; its own thread then probes every second until the server is well.

    A call that takes longer than `slow_seconds` counts as a failure, though its result is used. While open, calls
    fail at once and no request pays for a probe.
    """

    def __init__(
        self,
        server: str,
        errors: tuple[type[Exception], ...],
        probe: Callable[[], object],
        slow_seconds: float = SLOW_SECONDS,
    ) -> None:
        """`errors` are what a failing server raises; `probe` is one cheap call to it."""
        self.server = server
        self._errors = errors
        self._probe = probe
        self._slow_seconds = slow_seconds
        self._lock = threading.Lock()
        self._failures = 0
        self._open = False
        self._closed_down = threading.Event()
        self.opened_total = 0

    @property
    def is_open(self) -> bool:
        """Whether calls are refused now."""
        return self._open

    def call(self, function: Callable[[], T]) -> T:
        """Return what `function` returns; raise ServerDown when it fails or when the breaker is open."""
        if self._open:
            raise ServerDown
        started = time.monotonic()
        try:
            result = function()
        except self._errors as err:
            self._count_failure(type(err).__name__)
            message = f"{self.server}: {type(err).__name__}"
            raise ServerDown(message) from err
        if time.monotonic() - started > self._slow_seconds:
            self._count_failure("slow")
        elif self._failures:
            self._failures = 0
        return result

    def close(self) -> None:
        """Stop probing."""
        self._closed_down.set()

    def _count_failure(self, reason: str) -> None:
        with self._lock:
            self._failures += 1
            if self._open or self._failures < FAILURES_TO_OPEN or self._closed_down.is_set():
                return
            self._open = True
            self.opened_total += 1
        logger.warning("Server is down", extra={"server": self.server, "reason": reason})
        threading.Thread(target=self._probe_until_well, name=f"probe {self.server}", daemon=True).start()

    def _probe_until_well(self) -> None:
        while not self._closed_down.wait(PROBE_INTERVAL_SECONDS):
            started = time.monotonic()
            try:
                self._probe()
            except self._errors:
                continue
            if time.monotonic() - started <= self._slow_seconds:
                with self._lock:
                    self._failures = 0
                    self._open = False
                logger.warning("Server is back", extra={"server": self.server})
                return
