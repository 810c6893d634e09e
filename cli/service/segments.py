"""Ids and keys as parts of paths."""

from urllib.parse import quote

from cli.errors import CommandFailed
from cli.exit_codes import ExitCode

WITH_A_MEANING = frozenset({"", ".", ".."})
"""Segments that clients and servers take out of a path (RFC 3986, section 5.2.4), quoted or not."""


def segment(given: str, what: str) -> str:
    """Return a user's text as one segment of a path, quoted. Raises CommandFailed for what would be another path."""
    if given in WITH_A_MEANING or "/" in given:
        message = f"{given!r} is no {what}"
        raise CommandFailed(message, ExitCode.USAGE)
    return quote(given, safe="")
