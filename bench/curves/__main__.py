"""`make bench-curves`: hits by size, connections and processes, jobs by processes, crowds, streams, memory, outages.

Some half an hour, most of it for a million requests. A run of all parts writes its tables into `docs/performance.md`;
name parts to run only these: `make bench-curves PARTS="sizes storms"`.
"""

import sys
from collections.abc import Callable, Mapping

from bench.arena import Arena, open_arena
from bench.curves.first_token import first_token
from bench.curves.frozen_tiers import frozen_tiers
from bench.curves.memory import memory
from bench.curves.processes import processes
from bench.curves.sizes import sizes
from bench.curves.storms import storms
from bench.curves.streams import streams
from bench.curves.table import Table
from bench.curves.workers import workers
from bench.load import WrongAnswer
from bench.machine import described, this_machine
from bench.report.documents import write_curves

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
INTERRUPTED = 130


def main(names: list[str]) -> int:
    """Measure these parts, all without names; return the exit status."""
    if unknown := set(names) - PARTS.keys():
        print(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    said = described(this_machine())
    print(said)
    try:
        with open_arena() as arena:
            tables = [_measured(arena, name) for name in names or PARTS]
    except KeyboardInterrupt:
        return INTERRUPTED
    whole = [table for table in tables if table is not None]
    if len(whole) == len(PARTS):
        write_curves("\n\n".join((said, *(table.as_markdown() for table in whole))))
    return 0 if len(whole) == len(tables) else 1


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
