"""What is shown while a command waits: only at a terminal, and gone afterwards."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from cli.terminal.tables import rich_console


@contextmanager
def waiting(stream: TextIO, text: str) -> Iterator[Callable[[str], None]]:
    """Show that something goes on; yield a function that changes the text."""
    if not stream.isatty():
        yield lambda _: None
        return
    with rich_console(stream).status(text) as status:
        yield status.update
