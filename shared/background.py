"""Threads that run in the background for as long as their process does, whatever goes wrong in them."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from shared.logs.throttle import LogThrottle

RETRY_SECONDS = 1.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoopState:
    """How a loop is. `last_error`: the class of what it raised last, None when it never has."""

    name: str
    is_failing: bool
    failures: int
    last_error: str | None


class BackgroundLoop:
    """A thread that calls `step` again and again, until it is told to stop.

    A step handles the errors that it expects. Any other one is counted, makes the loop a failing one until a step
    returns, and is logged with its trace, at most once a minute for each kind; the next step comes a second later.
    """

    def __init__(self, name: str, step: Callable[[], object], *, pause: float = 0.0) -> None:
        """`pause`: seconds before each step, the first one too. `name`: of the thread, in the log and in metrics."""
        self.name = name
        self._step = step
        self._pause = pause
        self._stopping = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._failing = False
        self._failures = 0
        self._last_error: str | None = None
        self._throttle = LogThrottle()
        self._recovery_is_news = False

    @property
    def state(self) -> LoopState:
        """How the loop is now; one whose thread has ended by itself is failing."""
        ended = self._thread is not None and not self._thread.is_alive() and not self.is_stopping
        return LoopState(self.name, self._failing or ended, self._failures, self._last_error)

    @property
    def is_running(self) -> bool:
        """Whether its thread is there."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def is_stopping(self) -> bool:
        """Whether it was told to stop: a step that takes long looks at this."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Start the thread unless it is there already or the loop was stopped.

        Raises RuntimeError when the system has no thread for us; it may be tried again.
        """
        with self._starting:
            if self.is_running or self.is_stopping:
                return
            thread = threading.Thread(target=self._run, name=self.name, daemon=True)
            thread.start()
            self._thread = thread

    def stop(self, timeout: float | None = None) -> None:
        """Tell the loop to stop; wait until its step has returned, at most `timeout` seconds where that is given."""
        self._stopping.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def sleep(self, seconds: float) -> bool:
        """Pause within a step; True, and sooner, when the loop is told to stop."""
        return self._stopping.wait(seconds)

    def _run(self) -> None:
        while not self._stopping.wait(self._pause):
            try:
                self._step()
            except Exception as err:  # noqa: BLE001  the edge of a thread: what ends it would end its work for good
                self._fail(err)
                self._stopping.wait(RETRY_SECONDS)
            else:
                if self._failing:
                    self._recover()

    def _fail(self, err: Exception) -> None:
        kind = type(err).__name__
        self._failing, self._last_error = True, kind
        self._failures += 1
        if self._throttle.allows(kind):
            self._recovery_is_news = True
            logger.error("Background loop fails", exc_info=err, extra={"loop": self.name, "failures": self._failures})

    def _recover(self) -> None:
        self._failing = False
        if self._recovery_is_news:
            self._recovery_is_news = False
            logger.warning("Background loop works again", extra={"loop": self.name, "failures": self._failures})


class Background:
    """All loops of a process, for its health and its metrics."""

    def __init__(self, *loops: BackgroundLoop) -> None:
        self._loops = list(loops)

    def add(self, *loops: BackgroundLoop) -> None:
        """Take more loops."""
        self._loops.extend(loops)

    def states(self) -> list[LoopState]:
        """Return how each loop is."""
        return [loop.state for loop in self._loops]
