"""Keeps what fails many times a second from filling the log."""

import time

LOG_AGAIN_SECONDS = 60.0


class LogThrottle:
    """Lets one line of each kind through in a minute. Kinds are few: names in the code, classes of errors."""

    def __init__(self) -> None:
        """Let the first of each kind through."""
        self._next: dict[str, float] = {}

    def allows(self, kind: str) -> bool:
        """Whether to log now; if so, not again within a minute."""
        moment = time.monotonic()
        if moment < self._next.get(kind, moment):
            return False
        self._next[kind] = moment + LOG_AGAIN_SECONDS
        return True
