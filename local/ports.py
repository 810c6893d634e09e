"""Free TCP ports on 127.0.0.1 that stay the same at every start."""

import secrets
from pathlib import Path

from local.errors import LocalError
from local.remembered import remembered
from shared.startup_checks import is_free

LOOPBACK = "127.0.0.1"
# Above the usual ports of servers, below the range that the kernel uses for outgoing connections.
LOWEST, HIGHEST = 20_000, 32_000
ATTEMPTS = 100


class NoFreePort(LocalError):
    """No free TCP port was found between 20000 and 32000."""


def free_port() -> int:
    """Return a port on which nothing listens; raise NoFreePort."""
    for _ in range(ATTEMPTS):
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST)
        if is_free(LOOPBACK, port):
            return port
    raise NoFreePort(NoFreePort.__doc__)


def remembered_port(directory: Path) -> int:
    """Return the port stored in `directory`; at first, choose and store a free one."""
    return int(remembered(directory / "port", lambda: str(free_port())))


def forget_taken_ports(directory: Path) -> None:
    """Delete the stored ports below `directory` that another process listens on now."""
    for file in directory.glob("*/port"):
        if not is_free(LOOPBACK, remembered_port(file.parent)):
            file.unlink()
