"""Files of the user that can't be read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.errors import CommandFailed
from cli.exit_codes import ExitCode


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Raise CommandFailed, which names the file, if the block can't read it."""
    try:
        yield
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8 text"
        raise CommandFailed(message, ExitCode.USAGE) from error
    except OSError as error:
        message = f"{path} can't be read: {error.strerror}"
        raise CommandFailed(message, ExitCode.USAGE) from error


def read_file(path: Path) -> bytes:
    """Return a file's content. Raises CommandFailed."""
    with reading(path):
        return path.read_bytes()
