"""Reads the file `.env` strictly: a line that can't be understood stops the start instead of being skipped."""

from io import StringIO
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream

from shared.errors import ConfigurationError


def read_dotenv(file: Path) -> dict[str, str | None]:
    """Return the variables of the file, None for a name without `=`; an empty dict when there is no file.

    Raises ConfigurationError if the file can't be read or a line is not NAME=value.
    """
    if not file.is_file():
        return {}
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        reason = err.strerror if isinstance(err, OSError) else "not UTF-8"
        message = f"{file} can't be read: {reason}"
        raise ConfigurationError(message) from err
    for binding in parse_stream(StringIO(text)):
        if binding.error:
            # Do not quote the line: it may hold a secret.
            message = f"{file}: line {_line(binding)} is not NAME=value, or its quotes do not end"
            raise ConfigurationError(message)
    return dict(dotenv_values(stream=StringIO(text)))


def _line(binding: Binding) -> int:
    """Return the number of the line; the parser counts empty lines before it as part of it."""
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
