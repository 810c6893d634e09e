"""A bar chart: one row for each part of a period, hits before all others."""

from collections.abc import Sequence
from typing import NamedTuple, TextIO

from rich.text import Text

from cli.terminal.tables import GAP, rich_console
from cli.terminal.words import count, share

WIDTH, NARROW = 40, 5
"""Characters of the longest bar; in a terminal that has no room for NARROW there are only numbers."""
BLOCKS, PLAIN = ("█", "░"), ("#", ".")


class Bar(NamedTuple):
    """A row: its label, how many were hits, and how many there were in all."""

    label: str
    hits: int
    all: int


def print_chart(stream: TextIO, bars: Sequence[Bar]) -> None:
    """Print a row for each bar; the longest has WIDTH characters, or as many as there is room for."""
    console = rich_console(stream)
    numbers = [(count(bar.all), share(bar.hits / bar.all) if bar.all else "") for bar in bars]
    all_width, share_width = (max(map(len, column)) for column in zip(*numbers, strict=True)) if bars else (0, 0)
    label_width = max((len(bar.label) for bar in bars), default=0)
    room = min(WIDTH, console.width - len(GAP) * 3 - label_width - all_width - share_width)
    width = room if room >= NARROW else 0
    most = max((bar.all for bar in bars), default=0) or 1
    full, light = BLOCKS if "utf" in (stream.encoding or "").lower() else PLAIN
    for bar, (calls, ratio) in zip(bars, numbers, strict=True):
        whole = round(width * bar.all / most)
        hits = round(width * bar.hits / most)
        row = Text(f"{bar.label:<{label_width}}{GAP}")
        row.append(full * hits, style="green")
        row.append(light * (whole - hits), style="dim")
        row.append(
            f"{' ' * (width - whole)}{GAP if width else ''}{calls:>{all_width}}{GAP}{ratio:>{share_width}}".rstrip()
        )
        console.print(row, soft_wrap=True)
