"""The report as one HTML file with a chart in SVG. It has no script, and loads nothing."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Any

from cli.estimate.chart import chart
from cli.estimate.units import time_text
from cli.estimate.words import SHOWN_MODELS, money, notes, of_largest, questions

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
        "<h2>Calls that need not be paid</h2>",
        *chart(report),
        "<h2>By TTL, with the largest tier</h2>",
        *_table(_by_ttl(report)),
        "<h2>By model, with the largest tier</h2>",
        *_table(_by_model(report)),
        "<h2>Most repeated questions</h2>",
        *_table([("Question", "Calls"), *questions(report)]),
    ]
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en">\n<head>{HEAD}</head>\n<body>\n{body}\n</body>\n</html>\n'


def _by_ttl(report: Document) -> Iterator[Sequence[str]]:
    yield ["TTL", "Hits", "Coalesced", "Prompt tokens", "Completion tokens", "Dollars"]
    for each in of_largest(report):
        figures = (each["hits"], each["joined"], each["prompt_tokens"], each["completion_tokens"])
        yield [time_text(each["ttl_seconds"]), *(f"{figure:,}" for figure in figures), money(each)]


def _by_model(report: Document) -> Iterator[Sequence[str]]:
    ttls = sorted({each["ttl_seconds"] for each in report["saved"]})
    yield ["Model", "Calls", "Dollars", *(f"Saved in {time_text(ttl)}" for ttl in ttls), "Price of"]
    for model in report["models"][:SHOWN_MODELS]:
        saved = [money(each) for each in of_largest(model)]
        yield [model["model"], f"{model['calls']:,}", money(model), *saved, model["price"] or "unknown"]


def _table(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield "<table>"
    for number, row in enumerate(rows):
        tag = "td" if number else "th"
        yield "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row) + "</tr>"
    yield "</table>"
