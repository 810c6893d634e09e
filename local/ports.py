"""Free TCP ports on 127.0.0.1 that stay the same from start to start."""

import secrets
import socket
from pathlib import Path

# Above the usual ports of servers, below the range that the kernel hands to outgoing connections.
LOWEST, HIGHEST = 20_000, 32_000
ATTEMPTS = 100


class NoFreePort(Exception):
    """No free TCP port was found between 20000 and 32000."""


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a port on which nothing listens; raise NoFreePort."""
    for _ in range(ATTEMPTS):
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST)
        if is_free(port):
            return port
    raise NoFreePort(NoFreePort.__doc__)


def remembered_port(directory: Path) -> int:
    """Return the port kept in `directory`, choosing a free one the first time."""
    file = directory / "port"
    if file.is_file():
        return int(file.read_text())
    port = free_port()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_text(f"{port}\n")
    return port


def forget_taken_ports(directory: Path) -> None:
    """Forget the remembered ports below `directory` that somebody else listens on now."""
    for file in directory.glob("*/port"):
        if not is_free(int(file.read_text())):
            file.unlink()
