"""Tells an attempt whose claim no longer holds to stop, because its result is not needed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock

from shared.errors import AskOnceError


class ClaimLost(AskOnceError):
    """The job was cancelled, or another worker has it."""

    code = "claim_lost"
    title = "Claim lost"


class Stop:
    """A stop signal for an attempt, set by another thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._set = Event()
        self._actions: list[Callable[[], None]] = []

    def set(self) -> None:
        """Set the signal and run the registered actions; later calls do nothing."""
        with self._lock:
            if self._set.is_set():
                return
            self._set.set()
            actions = list(self._actions)
        for action in actions:
            action()

    @property
    def is_set(self) -> bool:
        """Whether the claim is known to be lost."""
        return self._set.is_set()

    def check(self) -> None:
        """Raise ClaimLost if it is set."""
        if self._set.is_set():
            raise ClaimLost

    @contextmanager
    def calling(self, action: Callable[[], None]) -> Iterator[None]:
        """Call `action` if the signal is set during the block. It must be quick and raise nothing.

        Raises ClaimLost if the signal is set already. The action may still run for a moment after the block.
        """
        with self._lock:
            self.check()
            self._actions.append(action)
        try:
            yield
        finally:
            with self._lock:
                self._actions.remove(action)
