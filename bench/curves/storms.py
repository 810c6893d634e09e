"""What happens when many come at once: identical questions, new ones, and waiters beside hits."""

import json
import resource

from bench.arena import Arena
from bench.cores import alone
from bench.curves.table import Table
from bench.load import run_load, run_loads
from bench.questions import numbered, question
from bench.table.hits import ANSWER, CONNECTIONS, FIRST_TIER, PREDICT
from bench.traffic import Load, Traffic, post

CROWD = 1000
WAITERS = 64
SECONDS = 4.0
PROVIDER_SECONDS = 2.0
FILES = 4096
WAIT = "Prefer: wait=30"


def storms(arena: Arena) -> Table:
    """Make each storm once."""
    _allow_files()
    with arena.unpinned():
        rows = [_identical(arena), _distinct(arena)]
    rows.append(_waiters(arena))
    head = ("at once", "answered", "p50 ms", "p99 ms", "")
    note = (
        f"The provider takes {PROVIDER_SECONDS:g} s for those who wait beside hits, and no time else. There the "
        "API has a core for itself; the crowds meet a stack that shares all cores."
    )
    return Table("Crowds", head, rows, note)


def _allow_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard), hard))


def _identical(arena: Arena) -> tuple[str, ...]:
    body = json.dumps(question(f"Identical {arena.some(1).start}")).encode()
    arena.stack.simulator("DELETE", "calls")
    load = _crowd(arena, post(PREDICT, body, WAIT), range(CROWD), b"200")
    arena.until_idle()
    said = f"calls of the provider: {arena.stack.paid()}{_others(load)}"
    return (f"{CROWD:,} identical new questions, each waits", *_cells(load), said)


def _distinct(arena: Arena) -> tuple[str, ...]:
    arena.stack.simulator("DELETE", "calls")
    load = _crowd(arena, post(PREDICT, numbered("Distinct")), arena.some(CROWD), b"202")
    arena.until_idle()
    said = f"calls of the provider: {arena.stack.paid():,}{_others(load)}"
    return (f"{CROWD:,} distinct new questions", *_cells(load), said)


def _crowd(arena: Arena, request: bytes, numbers: range, status: bytes) -> Load:
    """Ask once from each of a thousand connections, most of which should get an answer with this status."""
    statuses = (status, *{b"200", b"202", b"503"} - {status})
    return run_load(Traffic(port=arena.port, request=request, connections=CROWD, statuses=statuses, numbers=numbers))


def _others(load: Load) -> str:
    return "".join(f", answers with {status.decode()}: {count:,}" for status, count in sorted(load.others.items()))


def _waiters(arena: Arena) -> tuple[str, ...]:
    arena.stack.predict(question(), headers={"Prefer": "wait=30"}).raise_for_status()
    hits = Traffic(
        port=arena.port,
        request=post(PREDICT, json.dumps(question()).encode()),
        connections=CONNECTIONS,
        expected=(FIRST_TIER, ANSWER),
    )
    waiters = Traffic(
        port=arena.port,
        request=post(PREDICT, numbered("Waiter"), WAIT),
        connections=WAITERS,
        expected=(b'"status":"completed"',),
        numbers=arena.some(100_000),
    )
    with alone(arena.cores, arena.stack.pid("api")):
        run_load(hits, 1.0)
        before = run_load(hits, SECONDS)
        arena.stack.simulator("PUT", "latency", {"seconds": PROVIDER_SECONDS})
        beside, _ = run_loads((hits, waiters), SECONDS + 2 * PROVIDER_SECONDS)
        arena.stack.simulator("PUT", "latency", {"seconds": 0})
        arena.until_idle()
        after = run_load(hits, SECONDS)
    share = beside.rate / ((before.rate + after.rate) / 2)
    return (
        f"hits by {CONNECTIONS}, beside {WAITERS} who wait",
        *_cells(beside),
        f"{share:.0%} of the hits without them",
    )


def _cells(load: Load) -> tuple[str, ...]:
    return f"{load.requests:,}", f"{load.percentile(0.5):.1f}", f"{load.percentile(0.99):.1f}"
