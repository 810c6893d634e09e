"""What a client is told while PostgreSQL is away: it depends on what the client wanted."""

from shared.errors import AskOnceError, DatabaseUnavailable

_READING = "PostgreSQL does not answer, so this can't be read now. Try again shortly."
_ASKING = "PostgreSQL does not answer, so no new job can be accepted. Try again shortly."


def while_reading(error: AskOnceError) -> AskOnceError:
    """Return an error as it is told to a client that wants to read something."""
    return DatabaseUnavailable(_READING) if _says_nothing_more(error) else error


def while_asking(error: AskOnceError) -> AskOnceError:
    """Return an error as it is told to a client whose question needs a job."""
    return DatabaseUnavailable(_ASKING) if _says_nothing_more(error) else error


def _says_nothing_more(error: AskOnceError) -> bool:
    """Return whether an error only says that PostgreSQL is away, and not what can't be done without it."""
    return type(error) is DatabaseUnavailable and error.detail == DatabaseUnavailable().detail
