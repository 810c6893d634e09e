"""The names of workers, for the broker and Flower."""

import secrets
import socket

_OWN_DIGITS = 6


def new_node_name(queue: str) -> str:
    """Return `queue@host-1a2b3c`. No two workers have the same name, even on hosts of the same name."""
    return f"{queue}@{socket.gethostname()}-{secrets.token_hex(_OWN_DIGITS // 2)}"


def nodes_of_this_host() -> str:
    """Return a glob that matches all names made on this host, and none made on a host of another name."""
    return f"*@{socket.gethostname()}-{'[0-9a-f]' * _OWN_DIGITS}"
