"""What a run came to: ratios of each round, their median and range, and the figures of each contender."""

import json
import statistics
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.machine import Machine
from bench.peers.environment import ROOT
from bench.table.rows import CONTENDERS, Row
from bench.table.run import Rounds

LAST = ROOT / ".askonce" / "bench.json"
"""The last run, of whichever rows."""

FIELDS = ("rate", "p50_ms", "p99_ms", "cpu_us", "load_busy")
DIGITS = 4

Result = dict[str, Any]


def result_of(
    samples: Rounds, missing: Mapping[str, str], rows: Iterable[Row], machine: Machine, how: Mapping[str, float]
) -> Result:
    """Return everything as JSON has it."""
    return {
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": dict(machine),
        **how,
        "rows": [_row(row, samples, missing) for row in rows],
        "contenders": {name: _figures(samples[name]) for name in CONTENDERS if name in samples},
    }


def write(result: Result, path: Path) -> None:
    """Write it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")


def read(path: Path) -> Result:
    """Read it back."""
    found: Result = json.loads(path.read_text())
    return found


def _row(row: Row, samples: Rounds, missing: Mapping[str, str]) -> Result:
    known = {"name": row.name, "gate": row.gate, "goal": row.goal, "less": row.less}
    for name in (row.contender, row.rival):
        if name not in samples:
            return {**known, "value": None, "why": f"{CONTENDERS[name]}: {missing.get(name, 'not measured')}"}
    ours, theirs = ([getattr(sample, row.measure) for sample in samples[name]] for name in (row.contender, row.rival))
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    return {
        **known,
        "value": _rounded(statistics.median(ratios)),
        "low": _rounded(min(ratios)),
        "high": _rounded(max(ratios)),
    }


def _figures(samples: list[Any]) -> dict[str, float | None]:
    columns = {name: [getattr(sample, name) for sample in samples] for name in FIELDS}
    return {name: None if None in column else _rounded(statistics.median(column)) for name, column in columns.items()}


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
