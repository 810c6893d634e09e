"""`make bench-curves`: hits by size, connections and processes, jobs by worker processes, crowds, memory, frozen tiers.

Some half an hour, most of it for a million requests. A run of all parts writes its tables into `docs/performance.md`;
name parts to run only these: `make bench-curves PARTS="sizes storms"`.
"""

import sys
from collections.abc import Callable, Mapping

from bench.arena import Arena, open_arena
from bench.curves.frozen_tiers import frozen_tiers
from bench.curves.memory import memory
from bench.curves.processes import processes
from bench.curves.sizes import sizes
from bench.curves.storms import storms
from bench.curves.table import Table
from bench.curves.workers import workers
from bench.machine import described, this_machine
from bench.report.documents import write_curves

PARTS: Mapping[str, Callable[[Arena], Table]] = {
    "sizes": sizes,
    "processes": processes,
    "workers": workers,
    "storms": storms,
    "frozen": frozen_tiers,
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
    tables = []
    try:
        with open_arena() as arena:
            for name in names or PARTS:
                tables.append(PARTS[name](arena))
                print(f"\n{tables[-1].as_text()}", flush=True)
    except KeyboardInterrupt:
        return INTERRUPTED
    if not names:
        write_curves("\n\n".join((said, *(table.as_markdown() for table in tables))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
