"""Values that are chosen once and kept, such as random passwords: each in a file that only its owner can read."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from local.locks import exclusive


def remembered_password(directory: Path) -> str:
    """Return the password stored in `directory`; at first, make and store one."""
    return remembered(directory / "password", lambda: secrets.token_urlsafe(24))


def remembered(file: Path, choose: Callable[[], str]) -> str:
    """Return the text stored in `file`; at first, choose and store it. Concurrent processes get the same text.

    An empty file, which a full disk may leave, counts as none.
    """
    if not _text(file):
        with exclusive(file.with_name(f"{file.name}.lock"), f"waiting for another process that writes {file}"):
            if not _text(file):
                write_private(file, choose())
    return _text(file)


def _text(file: Path) -> str:
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        return ""


def write_private(file: Path, text: str) -> None:
    """Replace `file` atomically; its mode is 0600 from the start."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as target:
        target.write(text)
    draft.replace(file)
