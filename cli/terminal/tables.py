"""Tables. In a pipe they are plain text and as wide as they need to be."""

from collections.abc import Collection, Iterable, Sequence
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from cli.printable import printable

WIDTH_OF_A_PIPE = 1000
GAP = "  "
HEAD_STYLE = "bold"


class _Console(Console):
    """Leaves it to `main` what happens when nobody reads any more: rich would end the process with 1."""

    def on_broken_pipe(self) -> None:
        """Pass it on."""
        raise BrokenPipeError


def rich_console(stream: TextIO) -> Console:
    """Return a console of rich's for a stream. It obeys NO_COLOR by itself."""
    width = None if stream.isatty() else WIDTH_OF_A_PIPE
    return _Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


class Columns:
    """Rows in columns of known widths. Nothing is cut.

    Where a terminal is too narrow for a row, its last columns follow on lines of their own, moved in.
    """

    def __init__(self, stream: TextIO, widths: Sequence[int], *, right: Collection[int] = ()) -> None:
        """`right`: the numbers of those columns that are aligned to the right, from 0."""
        self._console = rich_console(stream)
        self._widths = widths
        self._right = right
        self._lines = _lines(widths, self._console.width)

    def print(self, row: Sequence[str], style: str = "") -> None:
        """Print a row."""
        cells = [self._aligned(number, printable(cell).replace("\n", " ")) for number, cell in enumerate(row)]
        for line in self._lines:
            text = (GAP if line.start else "") + GAP.join(cells[line.start : line.stop])
            # Softly: what is too long even for a line of its own is broken by the terminal, so it is copied whole.
            self._console.print(Text(text.rstrip(), style=style), soft_wrap=True)

    def _aligned(self, number: int, cell: str) -> str:
        # Not by ljust: some characters take the room of two, or none.
        space = " " * (self._widths[number] - cell_len(cell))
        return space + cell if number in self._right else cell + space


def print_table(
    stream: TextIO, columns: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()
) -> None:
    """Print rows under the names of their columns; those of `right` are numbers, which are aligned to the right."""
    shown = [list(columns), *map(list, rows)]
    widths = [max(cell_len(printable(cell)) for cell in cells) for cells in zip(*shown, strict=True)]
    printed = Columns(stream, widths, right={columns.index(name) for name in right})
    printed.print(columns, HEAD_STYLE)
    for row in shown[1:]:
        printed.print(row)


def _lines(widths: Sequence[int], room: int) -> list[range]:
    """Return which columns stand on the same line."""
    lines, first, taken = [], 0, 0
    for number, width in enumerate(widths):
        if number > first and taken + width > room:
            lines.append(range(first, number))
            first, taken = number, len(GAP)
        taken += width + len(GAP)
    return [*lines, range(first, len(widths))]
