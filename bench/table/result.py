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
from bench.table.samples import Sample

LAST = ROOT / ".askonce" / "bench.json"
"""The last run, of whichever rows."""

FIELDS = ("rate", "p50_ms", "p99_ms", "cpu_us", "load_busy")
DIGITS = 4

Result = dict[str, Any]


def result_of(measured: Rounds, rows: Iterable[Row], machine: Machine, how: Mapping[str, float]) -> Result:
    """Return everything as JSON has it."""
    samples = {name: measured.samples.get(name, []) for name in CONTENDERS}
    return {
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": dict(machine),
        **how,
        "rows": [_row(row, samples, measured.missing) for row in rows],
        "contenders": {name: _figures(taken) for name, column in samples.items() if (taken := _taken(column))},
        "failures": measured.failures,
    }


def write(result: Result, path: Path) -> None:
    """Write it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")


def read(path: Path) -> Result:
    """Read it back."""
    found: Result = json.loads(path.read_text())
    return found


def _row(row: Row, samples: Mapping[str, list[Sample | None]], missing: Mapping[str, str]) -> Result:
    known = {"name": row.name, "gate": row.gate, "goal": row.goal, "less": row.less}
    for name in (row.contender, row.rival):
        if name in missing or not _taken(samples[name]):
            return {**known, "value": None, "why": f"{CONTENDERS[name]}: {missing.get(name, 'no round succeeded')}"}
    ratios = [
        getattr(ours, row.measure) / getattr(theirs, row.measure)
        for ours, theirs in zip(samples[row.contender], samples[row.rival], strict=True)
        if ours is not None and theirs is not None
    ]
    if not ratios:
        return {**known, "value": None, "why": "no round succeeded for both"}
    return {
        **known,
        "value": _rounded(statistics.median(ratios)),
        "low": _rounded(min(ratios)),
        "high": _rounded(max(ratios)),
    }


def _taken(column: Iterable[Sample | None]) -> list[Sample]:
    return [sample for sample in column if sample is not None]


def _figures(samples: list[Sample]) -> dict[str, float | None]:
    columns = {name: [getattr(sample, name) for sample in samples] for name in FIELDS}
    return {name: None if None in column else _rounded(statistics.median(column)) for name, column in columns.items()}


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
