"""A run as an SVG picture that is readable on light and dark pages: hits a second, and how near each goal is."""

from html import escape
from typing import Any

from bench.report.tables import TITLES, ratio
from bench.table.result import Result
from bench.table.rows import CONTENDERS

WIDTH, LABELS, BARS = 960, 540, 340
LINE, BAR = 24, 14
OURS, OTHERS, REACHED, NEAR, FAR = "#2f6fde", "#8a929c", "#2e9e5b", "#d69a1c", "#cf4b3f"
HITS = ("hit", "promotion", "wsgi", "flask", "original", "handwritten", "litellm")
LONGEST = 1.25
"""The longest bar of a row, as a share of its goal. Rows that reach more have a bar of this length."""

STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#57606a}.title{font-weight:600}"
    "@media(prefers-color-scheme:dark){text{fill:#adb5bd}}"
)


def chart(result: Result) -> str:
    """Return the picture."""
    hits = [(name, result["contenders"][name]) for name in HITS if name in result["contenders"]]
    rows = [row for row in result["rows"] if row["value"] is not None]
    parts = [_title(0, "Hits a second, one core for the server")]
    parts += _hits(hits, 1)
    top = len(hits) + 2
    parts.append(_title(top, "How much of each goal is reached; the first mark is the first gate, the second the goal"))
    parts += [_row(row, top + 1 + number) for number, row in enumerate(rows)]
    height = (top + len(rows) + 2) * LINE
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
    return "\n".join((head, f"<style>{STYLE}</style>", *parts, "</svg>", ""))


def _hits(hits: list[tuple[str, dict[str, float]]], top: int) -> list[str]:
    most = max((figures["rate"] for _, figures in hits), default=1.0)
    lines = []
    for number, (name, figures) in enumerate(hits):
        colour = OURS if CONTENDERS[name].startswith("AskOnce") else OTHERS
        said = f"{figures['rate']:,.0f}"
        lines.append(_bar(top + number, CONTENDERS[name], figures["rate"] / most, colour, said))
    return lines


def _row(row: dict[str, Any], line: int) -> str:
    reached, gate = _share(row, row["value"]), _share(row, row["gate"])
    colour = REACHED if reached >= 1 else NEAR if reached >= gate else FAR
    marks = "".join(_mark(line, share / LONGEST) for share in (gate, 1.0))
    return _bar(line, TITLES[row["name"]], min(reached, LONGEST) / LONGEST, colour, ratio(row["value"])) + marks


def _share(row: dict[str, Any], value: float) -> float:
    """Return how much of the goal a value is."""
    return float(row["goal"] / value if row["less"] else value / row["goal"])


def _title(line: int, text: str) -> str:
    return f'<text class="title" x="0" y="{_middle(line) + 5}">{escape(text)}</text>'


def _bar(line: int, label: str, share: float, colour: str, said: str) -> str:
    label = escape(label.replace("`", ""))
    length, middle = max(share * BARS, 1), _middle(line)
    return (
        f'<text x="{LABELS - 10}" y="{middle + 5}" text-anchor="end">{label}</text>'
        f'<rect x="{LABELS}" y="{middle - BAR // 2}" width="{length:.1f}" height="{BAR}" rx="2" fill="{colour}"/>'
        f'<text x="{LABELS + BARS + 12}" y="{middle + 5}">{said}</text>'
    )


def _mark(line: int, share: float) -> str:
    x, middle = LABELS + share * BARS, _middle(line)
    return f'<path d="M{x:.1f} {middle - BAR} v{2 * BAR}" stroke="#57606a" stroke-width="1.5"/>'


def _middle(line: int) -> int:
    return line * LINE + LINE // 2
