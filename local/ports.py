"""Free TCP ports on 127.0.0.1 that stay the same from start to start."""

import secrets
from pathlib import Path

from local.remembered import remembered
from shared.startup_checks import is_free

LOOPBACK = "127.0.0.1"
# Above the usual ports of servers, below the range that the kernel hands to outgoing connections.
LOWEST, HIGHEST = 20_000, 32_000
ATTEMPTS = 100


class NoFreePort(Exception):
    """No free TCP port was found between 20000 and 32000."""


def free_port() -> int:
    """Return a port on which nothing listens; raise NoFreePort."""
    for _ in range(ATTEMPTS):
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST)
        if is_free(LOOPBACK, port):
            return port
    raise NoFreePort(NoFreePort.__doc__)


def remembered_port(directory: Path) -> int:
    """Return the port kept in `directory`, choosing a free one the first time."""
    return int(remembered(directory / "port", lambda: str(free_port())))


def forget_taken_ports(directory: Path) -> None:
    """Forget the remembered ports below `directory` that somebody else listens on now."""
    for file in directory.glob("*/port"):
        if not is_free(LOOPBACK, remembered_port(file.parent)):
            file.unlink()
