"""Whether this process is starting, serving or stopping."""

import threading


class Lifecycle:
    """Starts out as not serving."""

    def __init__(self) -> None:
        """Begin before the start."""
        self._serving = threading.Event()

    @property
    def serving(self) -> bool:
        """Whether requests should be sent here."""
        return self._serving.is_set()

    def started(self) -> None:
        """Say that everything runs."""
        self._serving.set()

    def stopping(self) -> None:
        """Say that no more requests should come."""
        self._serving.clear()
