"""How many files and sockets this process may have open at once: `ulimit -n`."""

import resource

from shared.errors import ConfigurationError


def check_open_files(needed: int, setting: str | None = None) -> None:
    """Make sure that `needed` files can be open at once; raise our own limit where that is allowed.

    Raises ConfigurationError, which names the number, where it is not. `setting`: a variable that so many are due to.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        otherwise = f", or set a lower {setting}" if setting else ""
        message = f"{needed} open files are needed and {hard} allowed: `ulimit -n {needed}` before the start{otherwise}"
        raise ConfigurationError(message)
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
