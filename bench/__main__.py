"""`make bench`: the table of what AskOnce costs beside its peers.

Starts the whole stack and the peers (`bench/peers/`), measures in interleaved rounds, and prints ratios; only ratios of
one run say something. A run of all rows also writes `docs/performance.json`, the chart and the tables of
`docs/performance.md`. Name rows, or the beginnings of their names, to measure only these: `make bench ROWS=hit`.
"""

import argparse
import sys

from bench.arena import open_arena
from bench.machine import this_machine
from bench.report.documents import write_table
from bench.report.tables import as_text
from bench.table.result import LAST, result_of, write
from bench.table.rows import ROWS, chosen
from bench.table.run import run_rounds

ROUNDS = 5
SECONDS = 3.0
INTERRUPTED = 130


def main(arguments: list[str]) -> int:
    """Measure, print and write; return the exit status."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("rows", nargs="*", help=f"of {', '.join(row.name for row in ROWS)}")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    options = parser.parse_args(arguments)
    rows = chosen(options.rows)
    if not rows:
        parser.error("no row has such a name")
    # A run for the document measures every contender, also those that no row needs.
    whole = not options.rows
    wanted = {name for row in rows for name in (row.contender, row.rival)} | (
        {"original", "handwritten", "rsgi", "asking"} if whole else set()
    )
    machine = this_machine()
    try:
        with open_arena() as arena:
            measured = run_rounds(arena, wanted, options.rounds, options.seconds)
    except KeyboardInterrupt:
        return INTERRUPTED
    how = {"rounds": options.rounds, "seconds": options.seconds}
    result = result_of(measured, rows, machine, how)
    write(result, LAST)
    print(as_text(result))
    if whole and (options.rounds, options.seconds) == (ROUNDS, SECONDS):
        write_table(result)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
