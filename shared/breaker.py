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
NAP_SECONDS = 0.001
LATE_SECONDS = 0.01
CLOSE_SECONDS = 2.0

logger = logging.getLogger(__name__)
T = TypeVar("T")


class Breaker:
    """Opens after a few failures in a row; its own thread then probes every second until the server is well.

    A call that takes longer than `slow_seconds` counts as a failure, though its result is used. Since calls also seem
    slow when a burst keeps this process busy, probes have to be slow too before slowness alone opens the breaker.
    While it is open calls fail at once, and no request pays for a probe.
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
        self._in_doubt = False
        self._closed_down = threading.Event()
        self._thread: threading.Thread | None = None
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
            self.failed(type(err).__name__)
            message = f"{self.server}: {type(err).__name__}"
            raise ServerDown(message) from err
        if time.monotonic() - started > self._slow_seconds:
            if self._count_failure():
                self._doubt()
        else:
            self.succeeded()
        return result

    def failed(self, reason: str) -> None:
        """Count a failure of something that `call` can't take, a transaction say."""
        if self._count_failure():
            self._open_up(reason)

    def succeeded(self) -> None:
        """Forget the failures so far."""
        if self._failures:
            self._failures = 0

    def trip(self, reason: str) -> None:
        """Open at once, and probe at once."""
        self._open_up(reason, probe_at_once=True)

    def close(self) -> None:
        """Stop probing; a probe that is under way is waited for, so that what it uses can be given up then."""
        self._closed_down.set()
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)

    def _count_failure(self) -> bool:
        """Count; tell whether it is enough."""
        with self._lock:
            self._failures += 1
            return self._failures >= FAILURES_TO_OPEN

    def _open_up(self, reason: str, *, probe_at_once: bool = False) -> None:
        with self._lock:
            if self._open or self._closed_down.is_set():
                return
            self._open = True
            self.opened_total += 1
        logger.warning("Server is down", extra={"server": self.server, "reason": reason})
        self._in_background(lambda: self._probe_until_well(0.0 if probe_at_once else PROBE_INTERVAL_SECONDS))

    def _doubt(self) -> None:
        with self._lock:
            if self._open or self._in_doubt or self._closed_down.is_set():
                return
            self._in_doubt = True
        self._in_background(self._probe_whether_slow)

    def _probe_whether_slow(self) -> None:
        if all(not self._is_well() for _ in range(FAILURES_TO_OPEN)):
            self._open_up("slow")
        else:
            self._failures = 0
        self._in_doubt = False

    def _probe_until_well(self, pause: float) -> None:
        while not self._closed_down.wait(pause):
            pause = PROBE_INTERVAL_SECONDS
            if self._is_well():
                with self._lock:
                    self._failures = 0
                    self._open = False
                logger.warning("Server is back", extra={"server": self.server})
                return

    def _is_well(self) -> bool:
        """Probe once. A slow answer at a time when this process is slow itself says nothing against the server."""
        started = time.monotonic()
        try:
            self._probe()
        except self._errors:
            return False
        except ServerDown:
            return False
        return time.monotonic() - started <= self._slow_seconds or _this_process_is_slow()

    def _in_background(self, function: Callable[[], None]) -> None:
        thread = threading.Thread(target=function, name=f"probe {self.server}", daemon=True)
        thread.start()
        self._thread = thread


def _this_process_is_slow() -> bool:
    """Tell whether a thread of ours waits long for its turn now."""
    started = time.monotonic()
    time.sleep(NAP_SECONDS)
    return time.monotonic() - started > NAP_SECONDS + LATE_SECONDS
