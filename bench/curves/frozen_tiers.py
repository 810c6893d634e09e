"""Hits of each tier while the server of the other one is frozen."""

import json
import statistics

from bench.arena import Arena
from bench.curves.table import Table
from bench.load import run_load
from bench.questions import question
from bench.table.hits import ANSWER, PREDICT
from bench.traffic import Load, Traffic, post
from tests.stack import eventually

CONNECTIONS = 2
ROUNDS = 3
SECONDS = 3.0
FROZEN = {
    "memcached": ("hit of Redis, memcached frozen", b"redis; hit"),
    "valkey": ("hit of memcached, Redis frozen", b"memcached; hit"),
}


def frozen_tiers(arena: Arena) -> Table:
    """Measure hits with both tiers, then with one of them frozen."""
    stack = arena.stack
    stack.predict(question(), headers={"Prefer": "wait=30"}).raise_for_status()
    stack.eventually_hit(question())
    rows = [("hit of memcached", *_cells([_load(arena, b"memcached; hit") for _ in range(ROUNDS)]))]
    for server, (name, expected) in FROZEN.items():
        with stack.frozen(server):
            _until_found_out(arena)
            rows.append((name, *_cells([_load(arena, expected) for _ in range(ROUNDS)])))
        stack.eventually_hit(question())
    return Table(f"One tier frozen, {CONNECTIONS} connections", ("", "hits/s", "p50 ms", "p99 ms"), rows)


def _until_found_out(arena: Arena) -> None:
    """Ask until the frozen server is left alone, and the other one answers."""
    only_if_cached = {"Cache-Control": "only-if-cached"}
    unknown = question("Nobody has asked this")
    eventually(lambda: "down" in arena.stack.predict(unknown, headers=only_if_cached).headers["Cache-Status"])
    arena.stack.eventually_hit(question())


def _load(arena: Arena, expected: bytes) -> Load:
    request = post(PREDICT, json.dumps(question()).encode())
    traffic = Traffic(port=arena.port, request=request, connections=CONNECTIONS, expected=(expected, ANSWER))
    return run_load(traffic, SECONDS)


def _cells(loads: list[Load]) -> tuple[str, ...]:
    rate = statistics.median(load.rate for load in loads)
    p50, p99 = (statistics.median(load.percentile(share) for load in loads) for share in (0.5, 0.99))
    return f"{rate:,.0f}", f"{p50:.2f}", f"{p99:.2f}"
