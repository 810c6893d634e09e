"""`make bench-check`: did the last run of `make bench` reach the first gates? Ends with 1 where it did not."""

import sys

from bench.report.tables import TITLES, ratio, verdict
from bench.table.result import LAST, read


def main() -> int:
    """Print each row that misses its gate or could not be measured, and what failed in single rounds."""
    if not LAST.exists():
        print("nothing has been measured: make bench", file=sys.stderr)
        return 2
    result = read(LAST)
    missed = 0
    for row in result["rows"]:
        said = verdict(row)
        if said not in {"goal reached", "gate reached"}:
            missed += 1
            value = "-" if row["value"] is None else ratio(row["value"])
            print(f"{row['name']}: {TITLES[row['name']]}: {value}, first gate {row['gate']:g}; {row.get('why', said)}")
    for failure in result["failures"]:
        print(failure)
    print(f"{len(result['rows']) - missed} of {len(result['rows'])} rows of {result['taken_at']} reach their gate")
    return 1 if missed or result["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
