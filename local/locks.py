"""Locks between processes of one machine. Needs only the standard library."""

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive(file: Path, waiting: str) -> Iterator[None]:
    """Hold an exclusive lock; print `waiting` on standard error if another process holds it.

    The lock ends with the process that holds it, even if that is killed. The file stays.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with file.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.stderr.write(f"{waiting}\n")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
