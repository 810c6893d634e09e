"""`make bench-curves`: hits by size, connections and processes, jobs by processes, crowds, streams, memory, outages.

Some half an hour, most of it for a million requests. A run of all parts writes its tables into `docs/performance.md`;
name parts to run only these: `make bench-curves PARTS="sizes storms"`. Growth is measured only if it is named. It needs
some 15 GB of disk and an hour, and has a section of its own there; `growth-small` goes to 100,000 jobs and prints only.
"""

import sys
from collections.abc import Callable, Mapping, Sequence

from bench.arena import Arena, open_arena
from bench.curves.first_token import first_token
from bench.curves.frozen_tiers import frozen_tiers
from bench.curves.growth import SIZES, growth
from bench.curves.memory import memory
from bench.curves.processes import processes
from bench.curves.sizes import sizes
from bench.curves.storms import storms
from bench.curves.streams import streams
from bench.curves.table import Table
from bench.curves.workers import workers
from bench.load import WrongAnswer
from bench.machine import described, this_machine
from bench.report.documents import write_curves, write_growth

PARTS: Mapping[str, Callable[[Arena], Table]] = {
    "sizes": sizes,
    "processes": processes,
    "workers": workers,
    "storms": storms,
    "frozen": frozen_tiers,
    "streams": streams,
    "first-token": first_token,
    "memory": memory,
}
APART: Mapping[str, Sequence[int]] = {"growth": SIZES, "growth-small": SIZES[:2]}
"""Parts about growth, each with the numbers of jobs: on servers of their own."""

INTERRUPTED = 130


def main(names: list[str]) -> int:
    """Measure these parts, all without names; return the exit status."""
    if unknown := set(names) - PARTS.keys() - APART.keys():
        print(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join((*PARTS, *APART))}", file=sys.stderr)
        return 2
    said = described(this_machine())
    print(said)
    try:
        for name in APART.keys() & names:
            _measure_growth(name, said)
        tables = _all_measured([name for name in names or PARTS if name in PARTS])
    except KeyboardInterrupt:
        return INTERRUPTED
    whole = [table for table in tables if table is not None]
    if len(whole) == len(PARTS):
        write_curves("\n\n".join((said, *(table.as_markdown() for table in whole))))
    return 0 if len(whole) == len(tables) else 1


def _measure_growth(name: str, said: str) -> None:
    """Measure, which prints; write it down if it is the whole, but for the statements."""
    *tables, _ = growth(APART[name])
    if APART[name] == SIZES:
        write_growth("\n\n".join((said, *(table.as_markdown() for table in tables))))


def _all_measured(names: Sequence[str]) -> list[Table | None]:
    if not names:
        return []
    with open_arena() as arena:
        return [_measured(arena, name) for name in names]


def _measured(arena: Arena, name: str) -> Table | None:
    """Measure one part and print it; None when that failed, which does not hold up the others."""
    try:
        table = PARTS[name](arena)
    except (WrongAnswer, AssertionError) as error:
        print(f"\n{name}: {error}", file=sys.stderr)
        return None
    print(f"\n{table.as_text()}", flush=True)
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
