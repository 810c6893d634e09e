"""Memory of each process before, during and after many requests: it should not grow."""

import json

from bench.arena import Arena
from bench.cores import family, resident_mb
from bench.curves.table import Table
from bench.load import run_load
from bench.questions import question
from bench.table.hits import CONNECTIONS, FIRST_TIER, PREDICT
from bench.table.jobs import post_new
from bench.traffic import Traffic, post
from tests.stack import PROGRAMS

REQUESTS = 1_000_000
MARKS = (0.01, 0.1, 0.5, 1.0)
JOBS_A_MARK = 500
LIMIT_SECONDS = 3600.0


def memory(arena: Arena, requests: int = REQUESTS) -> Table:
    """Ask for hits, with some jobs in between, and look at the memory at each mark."""
    arena.stack.predict(question(), headers={"Prefer": "wait=30"}).raise_for_status()
    seen, asked = [_megabytes(arena)], 0
    with arena.unpinned():
        for mark in MARKS:
            _hits(arena, int(mark * requests) - asked)
            asked = int(mark * requests)
            post_new(arena, arena.some(JOBS_A_MARK))
            arena.until_idle()
            seen.append(_megabytes(arena))
    head = ("MB", "before", *(f"{int(mark * requests):,}" for mark in MARKS))
    rows = [(name, *(f"{each[name]:.0f}" for each in seen)) for name in seen[0]]
    note = f"Hits, and {JOBS_A_MARK} jobs before each look. Resident memory of a program with its children."
    return Table("Memory by requests", head, rows, note)


def _hits(arena: Arena, count: int) -> None:
    request = post(PREDICT, json.dumps(question()).encode())
    traffic = Traffic(
        port=arena.port, request=request, connections=CONNECTIONS, expected=(FIRST_TIER,), numbers=range(count)
    )
    run_load(traffic, LIMIT_SECONDS)


def _megabytes(arena: Arena) -> dict[str, float]:
    return {name: sum(map(resident_mb, family(arena.stack.pid(name)))) for name in PROGRAMS}
