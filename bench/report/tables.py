"""A run as text for the terminal and as Markdown."""

from typing import Any

from bench.machine import described as machine_described
from bench.table.result import Result
from bench.table.rows import CONTENDERS, ROWS

SATURATED = 0.95
TITLES = {row.name: row.title for row in ROWS}
ROW_HEAD = ("", "ratio", "range", "first gate", "goal", "")
CONTENDER_HEAD = ("", "a second", "p50 ms", "p99 ms", "CPU us", "rest busy")


def as_text(result: Result) -> str:
    """Return both tables for a terminal."""
    parts = [described(result)]
    for head, rows in ((ROW_HEAD, row_cells(result)), (CONTENDER_HEAD, contender_cells(result))):
        widths = [max(len(cells[column]) for cells in (head, *rows)) for column in range(len(head))]
        lines = [
            "  ".join(
                cell.rjust(width) if column else cell.ljust(width)
                for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
            ).rstrip()
            for cells in (head, *rows)
        ]
        parts.append("\n".join(lines))
    return "\n\n".join([*parts, *_reasons(result)])


def as_markdown(result: Result) -> str:
    """Return both tables for a document."""
    parts = [described(result)]
    for head, rows in ((ROW_HEAD, row_cells(result)), (CONTENDER_HEAD, contender_cells(result))):
        lines = [head, ("---", *("--:" for _ in head[1:])), *rows]
        parts.append("\n".join(f"| {' | '.join(cells)} |" for cells in lines))
    return "\n\n".join([*parts, *_reasons(result)])


def described(result: Result) -> str:
    """Say where and when it was measured."""
    how = f"{result['rounds']} rounds of {result['seconds']:g} s in turn."
    return f"{machine_described(result['machine'], result['taken_at'][:10])} {how}"


def row_cells(result: Result) -> list[tuple[str, ...]]:
    """Return the cells of the rows."""
    return [_row(row) for row in result["rows"]]


def contender_cells(result: Result) -> list[tuple[str, ...]]:
    """Return the cells of the contenders."""
    return [
        (
            CONTENDERS[name],
            _number(figures["rate"], 0),
            _number(figures["p50_ms"], 2),
            _number(figures["p99_ms"], 2),
            _number(figures["cpu_us"], 0),
            _busy(figures["load_busy"]),
        )
        for name, figures in result["contenders"].items()
    ]


def verdict(row: dict[str, Any]) -> str:
    """Say which of gate and goal a row has reached."""
    if row["value"] is None:
        return "not measured"
    for name in ("goal", "gate"):
        if row["value"] <= row[name] if row["less"] else row["value"] >= row[name]:
            return f"{name} reached"
    return "missed"


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    sign = "≤" if row["less"] else "≥"
    bounds = (f"{sign} {row['gate']:g}", f"{sign} {row['goal']:g}")
    if row["value"] is None:
        return TITLES[row["name"]], "-", "-", *bounds, verdict(row)
    return TITLES[row["name"]], ratio(row["value"]), f"{ratio(row['low'])}-{ratio(row['high'])}", *bounds, verdict(row)


def ratio(value: float) -> str:
    """Write a ratio with as many digits as mean something."""
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"  # noqa: PLR2004  from here on tenths do


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def _busy(share: float | None) -> str:
    if share is None:
        return ""
    return f"{share:.0%}" + (" !" if share >= SATURATED else "")


def _reasons(result: Result) -> list[str]:
    reasons = [f"{row['name']}: {row['why']}" for row in result["rows"] if row.get("why")] + result["failures"]
    if any((figures["load_busy"] or 0) >= SATURATED for figures in result["contenders"].values()):
        reasons.append(
            "! What makes the load and the servers behind had no idle moment: the rate may be theirs, or that of other "
            "work on this machine."
        )
    return ["\n\n".join(reasons)] if reasons else []
