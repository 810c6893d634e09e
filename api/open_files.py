"""The number of files and connections that a server process may have open at once."""

from shared.config import Settings

OTHER_FILES = 512
"""Open files besides the clients' connections: connections to servers, libraries, logs."""


def files_needed(settings: Settings) -> int:
    """Return the limit of open files that a server process needs."""
    return settings.max_connections + OTHER_FILES
