"""The file `.env`, read strictly: what can't be understood stops the start instead of being skipped."""

from io import StringIO
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream

from shared.errors import ConfigurationError


def read_dotenv(file: Path) -> dict[str, str | None]:
    """Return what the file sets, None for a name without `=`; nothing when there is no such file.

    Raises ConfigurationError for a file that can't be read, and for a line that is not NAME=value.
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
            # Not the line itself: it may hold a secret.
            message = f"{file}: line {_line(binding)} is not NAME=value, or its quotes do not end"
            raise ConfigurationError(message)
    return dict(dotenv_values(stream=StringIO(text)))


def _line(binding: Binding) -> int:
    """Return the line's number: empty lines before it belong to the binding too."""
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
