"""Files that are written whole or not at all: under another name first."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.errors import CommandFailed
from cli.exit_codes import ExitCode

ONLY_OURS = 0o600


@contextmanager
def draft_of(path: Path) -> Iterator[Path]:
    """Make an empty file beside `path` that only its owner can read; at the end it takes the place of `path`.

    After an error nothing has changed. Raises CommandFailed where no such file can be.
    """
    if path.is_dir():
        message = f"{path} is a folder: name a file, such as {path / 'file'}"
        raise CommandFailed(message, ExitCode.USAGE)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, ONLY_OURS))
    except OSError as error:
        # The name of the draft would tell the user nothing.
        message = f"{path} can't be written: {error.strerror}"
        raise CommandFailed(message, ExitCode.USAGE) from error
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
