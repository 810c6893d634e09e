"""A table of figures for the terminal and for the document."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """A title, a head, and cells as text; the first `names` columns are names."""

    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    note: str = ""
    names: int = 1

    def as_markdown(self) -> str:
        """Return it as a section."""
        lines = [self.head, tuple("---" if column < self.names else "--:" for column in range(len(self.head)))]
        cells = "\n".join(f"| {' | '.join(row)} |" for row in [*lines, *self.rows])
        return "\n\n".join(part for part in (f"### {self.title}", cells, self.note) if part)

    def as_text(self) -> str:
        """Return it with aligned columns."""
        lines = [self.head, *self.rows]
        widths = [max(len(row[column]) for row in lines) for column in range(len(self.head))]
        cells = ("  ".join(map(str.rjust, row, widths)) for row in lines)
        return "\n".join([self.title, *cells, *([self.note] if self.note else [])])
