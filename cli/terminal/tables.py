"""Tables. In a pipe they are plain text and as wide as they need to be."""

from collections.abc import Iterable, Sequence
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.printable import printable

WIDTH_OF_A_PIPE = 1000


def rich_console(stream: TextIO) -> Console:
    """Return a console of rich's for a stream. It obeys NO_COLOR by itself."""
    width = None if stream.isatty() else WIDTH_OF_A_PIPE
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def print_table(
    stream: TextIO, columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()
) -> None:
    """Print rows under the names of their columns; those of `right` are numbers, which are aligned to the right."""
    shown = [[printable(cell) for cell in row] for row in rows]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", no_wrap=True, overflow="ellipsis")
    # The first one is an id, or what the row is about: it is copied, so it stays whole where others are cut.
    table.columns[0].min_width = max((len(row[0]) for row in shown), default=0)
    for row in shown:
        table.add_row(*map(Text, row))
    rich_console(stream).print(table)
