"""Writes what was measured into `docs/performance.md`, between its markers, with JSON and chart beside it."""

from pathlib import Path

from bench.peers.environment import ROOT
from bench.report.chart import chart
from bench.report.tables import as_markdown
from bench.table.result import Result, write

DOCUMENT = ROOT / "docs" / "performance.md"
TABLE = ROOT / "docs" / "performance.json"
CHART = ROOT / "docs" / "performance.svg"
TABLE_MARK = "<!-- by make bench -->\n"
CURVES_MARK = "<!-- by make bench-curves -->\n"
GROWTH_MARK = "<!-- by make bench-curves PARTS=growth -->\n"
END_MARK = "<!-- end -->\n"


def write_table(result: Result) -> None:
    """Write the table, its JSON and its chart."""
    write(result, TABLE)
    CHART.write_text(chart(result))
    DOCUMENT.write_text(with_part(DOCUMENT.read_text(), TABLE_MARK, as_markdown(result)))


def write_curves(markdown: str) -> None:
    """Write the tables of the curves."""
    DOCUMENT.write_text(with_part(DOCUMENT.read_text(), CURVES_MARK, markdown))


def write_growth(markdown: str) -> None:
    """Write the tables about growth."""
    DOCUMENT.write_text(with_part(DOCUMENT.read_text(), GROWTH_MARK, markdown))


def with_part(text: str, mark: str, part: str, path: Path = DOCUMENT) -> str:
    """Return a document with what stands between a marker and the next end replaced."""
    before, found, rest = text.partition(mark)
    _, closing, after = rest.partition(END_MARK)
    if not found or not closing:
        message = f"{path} has no part {mark!r}"
        raise ValueError(message)
    return f"{before}{mark}\n{part}\n\n{closing}{after}"
