"""A service that is away for a moment, such as for a restart, while somebody waits."""

import time
from collections.abc import Callable

from cli.errors import CommandFailed
from cli.exit_codes import ExitCode

PATIENCE_SECONDS = 30.0
PAUSE_SECONDS = 1.0
PASSING = frozenset({ExitCode.AWAY, ExitCode.TRY_LATER})


class Patience:
    """Bears errors that may pass by themselves, for a time at a stretch."""

    def __init__(self, say: Callable[[str], None], seconds: float = PATIENCE_SECONDS) -> None:
        """`say`: is told of the first error of a stretch, and that it goes on."""
        self._say = say
        self._seconds = seconds
        self._since: float | None = None

    def answered(self) -> None:
        """Note that the service is there."""
        self._since = None

    def bear(self, error: CommandFailed) -> None:
        """Wait a moment; raise the error if it can't pass, or has not for too long."""
        if error.exit_code not in PASSING:
            raise error
        if self._since is None:
            self._since = time.monotonic()
            self._say(f"{error.message.removesuffix('.')}; trying again for {self._seconds:g} s")
        elif time.monotonic() - self._since > self._seconds:
            raise error
        time.sleep(PAUSE_SECONDS)
