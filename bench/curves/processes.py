"""Hits by API processes, all on all cores."""

import json
import statistics
from contextlib import ExitStack

from bench.arena import Arena
from bench.cores import cpu_seconds
from bench.curves.table import Table
from bench.load import run_load
from bench.questions import question
from bench.table.hits import ANSWER, FIRST_TIER, PREDICT
from bench.traffic import Load, Traffic, post
from tests.api_process import ApiProcess, api_process

PROCESSES = (1, 2)
CONNECTIONS = 16
ROUNDS = 3
SECONDS = 3.0


def processes(arena: Arena) -> Table:
    """Measure one API after the other, in turn."""
    arena.stack.predict(question(), headers={"Prefer": "wait=30"}).raise_for_status()
    loads: dict[int, list[Load]] = {count: [] for count in PROCESSES}
    cpu: dict[int, list[float]] = {count: [] for count in PROCESSES}
    with ExitStack() as ending:
        apis = {
            count: ending.enter_context(api_process({**arena.settings, "API_PROCESSES": str(count)}, arena.stack.root))
            for count in PROCESSES
        }
        for _ in range(ROUNDS):
            for count, api in apis.items():
                with arena.unpinned(api.process.pid):
                    before = cpu_seconds(api.process.pid)
                    loads[count].append(run_load(_traffic(api), SECONDS))
                    cpu[count].append((cpu_seconds(api.process.pid) - before) / loads[count][-1].requests * 1e6)
    first = statistics.median(load.rate for load in loads[PROCESSES[0]])
    rows = []
    for count, taken in cpu.items():
        rate = statistics.median(load.rate for load in loads[count])
        p99 = statistics.median(load.percentile(0.99) for load in loads[count])
        rows.append(
            (f"{count}", f"{rate:,.0f}", f"{rate / first:.2f}", f"{p99:.2f}", f"{statistics.median(taken):,.0f}")
        )
    note = "Here nobody has a core of their own: processes, load, memcached and PostgreSQL share all that there are."
    return Table("Hits by API processes", ("API_PROCESSES", "hits/s", "ratio", "p99 ms", "CPU us"), rows, note)


def _traffic(api: ApiProcess) -> Traffic:
    request = post(PREDICT, json.dumps(question()).encode())
    port = int(api.url.rpartition(":")[2])
    return Traffic(port=port, request=request, connections=CONNECTIONS, expected=(FIRST_TIER, ANSWER))
