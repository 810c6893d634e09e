"""Random passwords of the servers we start, each in a file that only its owner can read."""

import os
import secrets
from pathlib import Path


def remembered_password(directory: Path) -> str:
    """Return the password kept in `directory`, inventing one the first time."""
    file = directory / "password"
    if not file.is_file():
        write_private(file, secrets.token_urlsafe(24))
    return file.read_text()


def write_private(file: Path, text: str) -> None:
    """Replace `file` in one step; its mode is 0600 from the start."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as target:
        target.write(text)
    draft.replace(file)
