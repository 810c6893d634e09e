"""Background threads that run as long as their process does, and go on after any error."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from shared.logs.throttle import LogThrottle

RETRY_SECONDS = 1.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoopState:
    """The state of a loop. `last_error`: the class name of its last unexpected error, None if it never had one."""

    name: str
    is_failing: bool
    failures: int
    last_error: str | None


class BackgroundLoop:
    """A thread that calls `step` again and again, until it is told to stop.

    A step handles the errors that it expects. After any other error the loop counts it, is `failing` until a step
    returns normally, and makes its next step a second later. It logs the traceback, at most once a minute for each
    class of error.
    """

    def __init__(self, name: str, step: Callable[[], object], *, pause: float = 0.0) -> None:
        """`pause`: seconds before every step, also the first. `name`: of the thread, in the log and in metrics."""
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
        """The current state; a loop whose thread has ended by itself is failing."""
        ended = self._thread is not None and not self._thread.is_alive() and not self.is_stopping
        return LoopState(self.name, self._failing or ended, self._failures, self._last_error)

    @property
    def is_running(self) -> bool:
        """Whether the thread is alive."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def is_stopping(self) -> bool:
        """Whether the loop was told to stop. A long step checks this."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Start the thread, unless it runs already or the loop was stopped.

        Raises RuntimeError when the system can't start a thread; the caller may try again.
        """
        with self._starting:
            if self.is_running or self.is_stopping:
                return
            thread = threading.Thread(target=self._run, name=self.name, daemon=True)
            thread.start()
            self._thread = thread

    def stop(self, timeout: float | None = None) -> None:
        """Tell the loop to stop and wait until its step has returned, at most `timeout` seconds if given."""
        self._stopping.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def sleep(self, seconds: float) -> bool:
        """Pause within a step. Returns True, and returns early, when the loop is told to stop."""
        return self._stopping.wait(seconds)

    def _run(self) -> None:
        while not self._stopping.wait(self._pause):
            try:
                self._step()
            except Exception as err:  # noqa: BLE001  an error that ended the thread would stop its work for good
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
