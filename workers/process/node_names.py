"""The names under which workers answer to the broker and are shown by Flower."""

import secrets
import socket

_OWN_DIGITS = 6


def new_node_name(queue: str) -> str:
    """Return `queue@host-1a2b3c`; no two workers share one, be they on one host or on hosts of the same name."""
    return f"{queue}@{socket.gethostname()}-{secrets.token_hex(_OWN_DIGITS // 2)}"


def nodes_of_this_host() -> str:
    """Return a glob that all names made on this host match, and none made on a host of another name."""
    return f"*@{socket.gethostname()}-{'[0-9a-f]' * _OWN_DIGITS}"
