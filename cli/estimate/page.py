"""The report as one HTML file with a chart in SVG. It has no script, and loads nothing."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from cli.estimate.chart import chart
from cli.estimate.sections import Section, notes, sections

Document = dict[str, Any]

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1f2328;background:#fff}
table{border-collapse:collapse;width:100%}th,td{padding:.3rem .6rem;text-align:right;border-bottom:1px solid #d1d9e0}
th:first-child,td:first-child{text-align:left;overflow-wrap:anywhere}svg{width:100%;height:auto}
svg text{font:13px system-ui,sans-serif;fill:currentColor}.axis{stroke:currentColor;opacity:.3}
@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}th,td{border-color:#3d444d}}
"""
HEAD = (
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>AskOnce: estimate</title>'
    f"<style>{STYLE}</style>"
)


def as_page(report: Document) -> str:
    """Return the page."""
    parts = [
        "<h1>What AskOnce would have saved</h1>",
        *(f"<p>{escape(each)}</p>" for each in notes(report)),
        *chart(report),
        *(line for section in sections(report) for line in _table(section)),
    ]
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en">\n<head>{HEAD}</head>\n<body>\n{body}\n</body>\n</html>\n'


def _table(section: Section) -> Iterator[str]:
    yield f"<h2>{escape(section.title)}</h2>"
    yield "<table>"
    yield _row("th", section.columns)
    yield from (_row("td", row) for row in section.rows)
    yield "</table>"


def _row(tag: str, cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"
