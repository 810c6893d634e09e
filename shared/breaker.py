"""A circuit breaker, which keeps a failing server from slowing requests down."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from shared.background import BackgroundLoop
from shared.errors import ServerDown

FAILURES_TO_OPEN = 3
SLOW_SECONDS = 0.05
PROBE_INTERVAL_SECONDS = 1.0
NAP_SECONDS = 0.001
LATE_SECONDS = 0.01
CLOSE_SECONDS = 2.0

logger = logging.getLogger(__name__)
T = TypeVar("T")


class Breaker:
    """Opens after a few failures in a row. Then its own thread probes once a second until the server is well.

    A call that takes longer than `slow_seconds` counts as a failure, but its result is used. Calls also seem slow when
    this process is busy; so before slowness alone opens the breaker, probes must be slow too. While it is open,
    calls fail at once and no request probes. Exception: if the system can't start a thread, one call a second probes.
    """

    def __init__(
        self,
        server: str,
        errors: tuple[type[Exception], ...],
        probe: Callable[[], object],
        slow_seconds: float = SLOW_SECONDS,
    ) -> None:
        """`errors`: what a failing server raises. `probe`: one cheap call to the server."""
        self.server = server
        self._errors = errors
        self._probe = probe
        self._slow_seconds = slow_seconds
        self._lock = threading.Lock()
        self._failures = 0
        self._open = False
        self._in_doubt = False
        self._closed_down = False
        self._probe_wanted = threading.Event()
        self._next_probe = 0.0
        self._lacks_thread = False
        self.loop = BackgroundLoop(f"probe {server}", self._probe_when_wanted)
        self.opened_total = 0

    @property
    def is_open(self) -> bool:
        """Whether calls are refused now."""
        return self._open

    def call(self, function: Callable[[], T]) -> T:
        """Return what `function` returns; raise ServerDown when it fails or when the breaker is open."""
        self.refuse_if_open()
        started = time.monotonic()
        try:
            result = function()
        except self._errors as err:
            self.failed(type(err).__name__)
            message = f"{self.server}: {type(err).__name__}"
            raise ServerDown(message) from err
        self.took(time.monotonic() - started)
        return result

    def refuse_if_open(self) -> None:
        """Raise ServerDown while the breaker is open, for code that can't be run through `call`."""
        if not self._open:
            return
        if not self.loop.is_running:
            self._probe_without_thread()
        if self._open:
            raise ServerDown

    def failed(self, reason: str) -> None:
        """Count a failure of code that can't be run through `call`, such as a transaction."""
        if self._count_failure():
            self._open_up(reason)

    def took(self, seconds: float) -> None:
        """Count a call that the server has answered after this time."""
        if seconds <= self._slow_seconds:
            self.succeeded()
        elif self._count_failure():
            self._doubt()

    def succeeded(self) -> None:
        """Reset the count of failures."""
        if self._failures:
            self._failures = 0

    def trip(self, reason: str) -> None:
        """Open the breaker and probe, both at once."""
        self._open_up(reason, probe_at_once=True)

    def close(self) -> None:
        """Stop probing. Waits for a probe that is running, so that the caller can close its connections afterwards."""
        with self._lock:
            self._closed_down = True
            self._probe_wanted.set()
        self.loop.stop(CLOSE_SECONDS)

    def _count_failure(self) -> bool:
        """Count a failure; return whether there are enough to open."""
        with self._lock:
            self._failures += 1
            return self._failures >= FAILURES_TO_OPEN

    def _open_up(self, reason: str, *, probe_at_once: bool = False) -> None:
        with self._lock:
            if self._open or self._closed_down:
                return
            self._open = True
            self.opened_total += 1
            self._next_probe = time.monotonic() + (0.0 if probe_at_once else PROBE_INTERVAL_SECONDS)
            self._probe_wanted.set()
        logger.warning("Server is down", extra={"server": self.server, "reason": reason})
        self._start_loop()

    def _doubt(self) -> None:
        with self._lock:
            if self._open or self._in_doubt or self._closed_down:
                return
            self._in_doubt = True
            self._probe_wanted.set()
        if not self._start_loop():
            self._in_doubt = False

    def _start_loop(self) -> bool:
        try:
            self.loop.start()
        except RuntimeError as err:
            if not self._lacks_thread:
                logger.warning("No thread to probe with", extra={"server": self.server, "reason": str(err)})
            self._lacks_thread = True
            return False
        self._lacks_thread = False
        return True

    def _probe_without_thread(self) -> None:
        """Once a second, try again to start the probing thread; if that fails, probe in this thread."""
        with self._lock:
            if self._closed_down or time.monotonic() < self._next_probe:
                return
            self._next_probe = time.monotonic() + PROBE_INTERVAL_SECONDS
        if not self._start_loop():
            self._close_if_well()

    def _probe_when_wanted(self) -> None:
        self._probe_wanted.wait()
        if self._in_doubt:
            self._probe_whether_slow()
        elif self._open and not self.loop.sleep(max(0.0, self._next_probe - time.monotonic())):
            self._next_probe = time.monotonic() + PROBE_INTERVAL_SECONDS
            self._close_if_well()
        with self._lock:
            if not (self._open or self._in_doubt or self._closed_down):
                self._probe_wanted.clear()

    def _probe_whether_slow(self) -> None:
        try:
            is_slow = all(not self._is_well() for _ in range(FAILURES_TO_OPEN))
        finally:
            # An unexpected error of a probe says nothing about the server: the next slow call starts new probes.
            self._failures, self._in_doubt = 0, False
        if is_slow:
            self._open_up("slow")

    def _close_if_well(self) -> None:
        if not self._is_well():
            return
        with self._lock:
            self._failures, self._open = 0, False
        logger.warning("Server is back", extra={"server": self.server})

    def _is_well(self) -> bool:
        """Probe once. A slow answer does not count against the server while this process is slow itself."""
        started = time.monotonic()
        try:
            self._probe()
        except self._errors:
            return False
        except ServerDown:
            return False
        return time.monotonic() - started <= self._slow_seconds or _this_process_is_slow()


def _this_process_is_slow() -> bool:
    """Return whether a thread of this process now waits long for its turn."""
    started = time.monotonic()
    time.sleep(NAP_SECONDS)
    return time.monotonic() - started > NAP_SECONDS + LATE_SECONDS
