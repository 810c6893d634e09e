"""A bar chart: one row for each part of a period, hits before all others."""

from collections.abc import Sequence
from typing import NamedTuple, TextIO

from rich.text import Text

from cli.terminal.tables import rich_console
from cli.terminal.words import count, share

WIDTH = 40
BLOCKS, PLAIN = ("█", "░"), ("#", ".")


class Bar(NamedTuple):
    """A row: its label, how many were hits, and how many there were in all."""

    label: str
    hits: int
    all: int


def print_chart(stream: TextIO, bars: Sequence[Bar]) -> None:
    """Print a row for each bar; the longest has WIDTH characters."""
    full, light = BLOCKS if "utf" in (stream.encoding or "").lower() else PLAIN
    most = max((bar.all for bar in bars), default=0) or 1
    console = rich_console(stream)
    for bar in bars:
        whole = round(WIDTH * bar.all / most)
        hits = round(WIDTH * bar.hits / most)
        row = Text(f"{bar.label}  ")
        row.append(full * hits, style="green")
        row.append(light * (whole - hits), style="dim")
        row.append(" " * (WIDTH - whole) + f"  {count(bar.all):>9}")
        row.append(f"  {share(bar.hits / bar.all):>7}" if bar.all else "")
        console.print(row)
