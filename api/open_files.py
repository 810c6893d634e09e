"""How many files and connections a server process may have open at once."""

from shared.config import Settings

OTHER_FILES = 512
"""Beside its clients' connections: those to servers, libraries, logs."""


def files_needed(settings: Settings) -> int:
    """Return the limit of open files that a server process needs."""
    return settings.max_connections + OTHER_FILES
