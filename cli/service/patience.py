"""A service that is away for a moment, such as for a restart, while somebody waits."""

import time

from cli.errors import CommandFailed
from cli.exit_codes import ExitCode

PATIENCE_SECONDS = 30.0
PAUSE_SECONDS = 1.0
PASSING = frozenset({ExitCode.AWAY, ExitCode.TRY_LATER})


class Patience:
    """Bears errors that may pass by themselves, for PATIENCE_SECONDS at a stretch."""

    def __init__(self) -> None:
        self._since: float | None = None

    def answered(self) -> None:
        """Note that the service is there."""
        self._since = None

    def bear(self, error: CommandFailed) -> None:
        """Wait a moment; raise the error if it can't pass, or has not for too long."""
        self._since = self._since or time.monotonic()
        if error.exit_code not in PASSING or time.monotonic() - self._since > PATIENCE_SECONDS:
            raise error
        time.sleep(PAUSE_SECONDS)
