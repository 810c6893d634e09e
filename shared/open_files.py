"""How many files and sockets this process may have open at once: `ulimit -n`."""

import resource

from shared.errors import ConfigurationError


def check_open_files(needed: int) -> None:
    """Make sure that `needed` files can be open at once; raise our own limit where that is allowed.

    Raises ConfigurationError, which names the number, where it is not.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        message = f"{needed} open files are needed and {hard} allowed: `ulimit -n {needed}` before the start"
        raise ConfigurationError(message)
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
