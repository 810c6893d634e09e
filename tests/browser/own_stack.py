"""An AskOnce of its own, for the commands that open the page outside of the tests."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.stack import Stack, start_stack, stop_stack


@contextmanager
def own_stack(settings: Mapping[str, str]) -> Iterator[Stack]:
    """Start everything with these settings beside the usual ones, and stop it with the block."""
    with TemporaryDirectory(prefix="askonce-browser-") as folder:
        stack = start_stack(Path(folder), {**settings})
        try:
            yield stack
        finally:
            stop_stack(stack)
