"""What was measured at several sizes, as tables."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.curves.table import Table
from bench.growth.costs import Cost

GROWN_PAGES = 3.0
"""How many pages more than on the smallest tables a statement may read and is not shown: indexes have more levels."""

SHOWN_LETTERS = 110
TOLD_APART_BY = 300
"""Statements that are the same in so many letters differ only in how many rows they were about."""


@dataclass(frozen=True, slots=True)
class Measured:
    """At one size: how many jobs; rows and megabytes by table; and costs by the name of what they are of."""

    jobs: int
    rows: Mapping[str, tuple[Any, ...]]
    costs: Mapping[str, Cost]


def tables_of(found: Sequence[Measured]) -> list[Table]:
    """Return all tables. The last one is for who looks for a cause."""
    return [_sizes(found), _pages(found), _cpu(found), _times(found), _statements(found)]


def _head(found: Sequence[Measured], *names: str) -> tuple[str, ...]:
    return (*names, *(f"{each.jobs:,} jobs" for each in found))


def _sizes(found: Sequence[Measured]) -> Table:
    rows = [
        (name, *(f"{each.rows[name][0]:,} in {each.rows[name][1]:,.0f} MB" for each in found)) for name in found[0].rows
    ]
    return Table("What the tables hold", _head(found, "rows"), rows)


def _pages(found: Sequence[Measured]) -> Table:
    rows = [(name, *(f"{each.costs[name].pages:,.1f}" for each in found)) for name in found[0].costs]
    note = (
        "Pages of tables and indexes that PostgreSQL reads for one of them, in its memory or not: that does not depend "
        "on how busy the machine is."
    )
    return Table("Pages read", _head(found, ""), rows, note)


def _cpu(found: Sequence[Measured]) -> Table:
    rows = []
    for name, first in found[0].costs.items():
        rows.append((name, "PostgreSQL", *(f"{each.costs[name].postgres_us:,.0f}" for each in found)))
        if first.program_us is not None:
            program = "worker" if name.startswith("job") else "API"
            rows.append(("", program, *(f"{each.costs[name].program_us or 0:,.0f}" for each in found)))
    note = (
        "CPU is counted in ticks of 10 ms: 200 µs for each of 50 readings, 2,500 for the overview, which is read four "
        "times."
    )
    return Table("CPU, in microseconds", _head(found, "", "of"), rows, note, names=2)


def _times(found: Sequence[Measured]) -> Table:
    timed = [name for name, cost in found[0].costs.items() if cost.p50_ms is not None]
    rows = [(name, *(_time(each.costs[name]) for each in found)) for name in timed]
    return Table("Milliseconds, p50", _head(found, ""), rows)


def _time(cost: Cost) -> str:
    return f"{cost.p50_ms:,.1f}" + (f" ({cost.refused} of {cost.count} refused)" if cost.refused else "")


def _statements(found: Sequence[Measured]) -> Table:
    rows = []
    for name in found[0].costs:
        by_size = [_pages_by_statement(each.costs[name]) for each in found]
        for query, pages in sorted(by_size[-1].items()):
            if pages >= by_size[0].get(query, 0.0) + GROWN_PAGES:
                rows.append((name, _shown(query), *(f"{each.get(query, 0.0):,.1f}" for each in by_size)))
    note = f"Those of which one reads more than {GROWN_PAGES:g} pages more on the largest tables than on the smallest."
    return Table("Statements that read more", _head(found, "in", "statement"), rows, note, names=2)


def _pages_by_statement(cost: Cost) -> Mapping[str, float]:
    pages: Counter[str] = Counter()
    for query, reads in cost.statements.items():
        pages[" ".join(query.split())[:TOLD_APART_BY]] += reads.pages
    return {query: read / cost.count for query, read in pages.items()}


def _shown(query: str) -> str:
    return f"`{query[:SHOWN_LETTERS]}`".replace("|", "\\|")
