"""Checks before a process starts to serve: that it can listen on its address, and open enough files."""

import errno
import resource
import socket
from collections.abc import Collection

from shared.errors import ConfigurationError

PROPOSALS = 100
"""How many ports after a taken one are tried, to propose a free one."""


def check_port(
    address: str, port: int, *, address_name: str, port_name: str, besides: Collection[int] = frozenset()
) -> None:
    """Raise ConfigurationError, which names the variable to change, if a server can't listen there now.

    `address_name` and `port_name` are the variables. Ports in `besides` have another use and are never proposed.
    """
    error = _error(address, port)
    if error is None:
        return
    if error.errno == errno.EADDRINUSE:
        following = range(port + 1, min(port + PROPOSALS, 65536))
        free = next((other for other in following if other not in besides and is_free(address, other)), None)
        proposal = f", such as {free}" if free else ""
        message = f"{port_name}: {port} on {address} is taken; set {port_name} to a free one{proposal}"
    elif error.errno == errno.EACCES:
        message = f"{port_name}: this user may not listen on {port}; set {port_name} to one from 1024"
    elif error.errno == errno.EADDRNOTAVAIL:
        message = f"{address_name}: {address} is no address of this machine"
    else:
        message = f"{address_name}: nothing can listen on {address}: {error.strerror or error}"
    raise ConfigurationError(message) from error


def is_free(address: str, port: int) -> bool:
    """Return whether a server could listen there now."""
    return _error(address, port) is None


def _error(address: str, port: int) -> OSError | None:
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
            # Servers do this too, so that recently closed connections do not block the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
            probe.listen()
    except OSError as err:
        return err
    return None


def check_open_files(needed: int, setting: str | None = None) -> None:
    """Make sure that `needed` files can be open at once; raise this process's own limit where that is allowed.

    Raises ConfigurationError, which names the number, where it is not allowed. `setting`: a variable that determines
    the number.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        otherwise = f", or set a lower {setting}" if setting else ""
        message = f"{needed} open files are needed and {hard} allowed: `ulimit -n {needed}` before the start{otherwise}"
        raise ConfigurationError(message)
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
