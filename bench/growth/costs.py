"""What one hit, miss, job, poll or read costs on tables of some size."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace

from bench.arena import Arena
from bench.cores import alone, cpu_seconds
from bench.growth.ended_jobs import LARGE_TENANT, SMALL_TENANT
from bench.growth.postgres import Reads, Statements
from bench.load import run_load
from bench.questions import make_key, question
from bench.table.hits import ANSWER, CONNECTIONS, FIRST_TIER, PREDICT
from bench.table.jobs import post_new
from bench.traffic import NUMBER, Load, Traffic, get, post
from tests.freezing import frozen_process

SECONDS = 3.0
JOBS = 600
WARM_JOBS = 100
POLLS = 1000
READINGS = 50
PAUSED_READINGS = 4
SETTLE_SECONDS = 1.0
"""How long PostgreSQL may still be busy with the records of what was asked last."""

KEPT_SECONDS = 1.1
"""What the API keeps for a second is asked for less often, so that each call reads."""

LISTS = ("jobs", "jobs?status=failed", "jobs?task_type=chat", "requests", "requests?outcome=error")
OTHERS = ("statistics", "statistics?days=90", "statistics?days=7&bucket=hour")
KEPT = ("overview",)
OF_A_TENANT = ("jobs", "jobs?status=failed", "requests")

SOME_IDS = """
    SELECT id::text FROM (SELECT id FROM jobs TABLESAMPLE SYSTEM (least(100, 2000000.0 / %s)) LIMIT 20000) AS found
    ORDER BY random() LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one: pages that PostgreSQL read, its CPU and that of the program named, in microseconds, and milliseconds.

    `statements`: what was read by each statement, for all `count`. `refused`: how many of these had no answer in time.
    """

    count: int
    refused: int

    pages: float
    postgres_us: float
    program_us: float | None
    p50_ms: float | None
    statements: Mapping[str, Reads]


class Meter:
    """Measures on one arena, whose PostgreSQL counts."""

    def __init__(self, arena: Arena, postgres: int, statements: Statements) -> None:
        """`postgres`: the pid of the server."""
        self.arena = arena
        self.statements = statements
        self._postgres = postgres

    def cost(self, act: Callable[[], Load | None], count: int = 0, program: int | None = None) -> Cost:
        """Return what one of `count`, or of the answers of a load, costs."""
        self.statements.reset()
        pids = [self._postgres] if program is None else [self._postgres, program]
        with alone(self.arena.cores, *pids[1:]):
            before = list(map(cpu_seconds, pids))
            load = act()
            time.sleep(SETTLE_SECONDS)
            taken = [after - first for after, first in zip(map(cpu_seconds, pids), before, strict=True)]
        found = self.statements.read()
        number = count or (load.requests if load else 1)
        postgres_us, *programs_us = (seconds / number * 1e6 for seconds in taken)
        return Cost(
            count=number,
            refused=sum(load.others.values()) if load else 0,
            pages=sum(each.pages for each in found.values()) / number,
            postgres_us=postgres_us,
            program_us=programs_us[0] if programs_us else None,
            p50_ms=load.percentile(0.5) if load else None,
            statements=found,
        )


def costs(meter: Meter, jobs: int) -> dict[str, Cost]:
    """Measure everything that clients do, by its name; `jobs`: how many the table has."""
    return {**_hits(meter), **_jobs(meter), **_polls(meter, jobs), **_readings(meter), **_readings_of_tenants(meter)}


def _hits(meter: Meter) -> dict[str, Cost]:
    arena = meter.arena
    arena.stack.predict(question(), headers={"Prefer": "wait=30"}).raise_for_status()
    request = post(PREDICT, json.dumps(question()).encode())
    traffic = Traffic(port=arena.port, request=request, connections=CONNECTIONS, expected=(FIRST_TIER, ANSWER))
    run_load(traffic, 1.0)
    return {"hit": meter.cost(lambda: run_load(traffic, SECONDS), program=arena.stack.pid("api"))}


def _jobs(meter: Meter) -> dict[str, Cost]:
    arena, api, worker = meter.arena, meter.arena.stack.pid("api"), meter.arena.stack.pid("worker-text")
    post_new(arena, arena.some(WARM_JOBS))
    arena.until_idle()
    with ExitStack() as frozen:
        frozen.enter_context(frozen_process(worker))
        accepted = meter.cost(lambda: post_new(arena, arena.some(JOBS)), program=api)

        def run() -> None:
            frozen.close()
            arena.until_idle()

        return {"miss: POST to 202": accepted, "job, claim to end": meter.cost(run, JOBS, worker)}


def _polls(meter: Meter, jobs: int) -> dict[str, Cost]:
    ids = [row[0].encode() for row in meter.statements.sql(SOME_IDS, (jobs, POLLS))]
    request = get("/api/v1/jobs/").replace(b"/jobs/", b"/jobs/" + NUMBER)
    traffic = Traffic(
        port=meter.arena.port,
        request=request,
        connections=CONNECTIONS,
        numbers=range(len(ids)),
        written=ids.__getitem__,
    )
    return {"poll of an old job": meter.cost(lambda: run_load(traffic), program=meter.arena.stack.pid("api"))}


def _readings(meter: Meter) -> dict[str, Cost]:
    api = meter.arena.stack.pid("api")

    def reading(path: str, pause: float) -> Cost:
        traffic = Traffic(port=meter.arena.port, request=get(f"/api/v1/{path}"), connections=1)
        return meter.cost(lambda: _one_by_one(traffic, pause), program=api)

    paths = {**dict.fromkeys((*LISTS, *OTHERS), 0.0), **dict.fromkeys(KEPT, KEPT_SECONDS)}
    found = {f"GET {path}": reading(path, pause) for path, pause in paths.items()}
    explained = Traffic(
        port=meter.arena.port,
        request=post("/api/v1/explain", json.dumps(question("Never asked")).encode()),
        connections=1,
    )
    return {**found, "POST explain": meter.cost(lambda: _one_by_one(explained, 0.0), program=api)}


def _readings_of_tenants(meter: Meter) -> dict[str, Cost]:
    """Read as tenants do, who see what they made or joined: one with a hundred jobs, one with every thirtieth."""
    pid, port, _ = meter.arena.keyed(on=True)
    found = {}
    for tenant, said in ((SMALL_TENANT, "small"), (LARGE_TENANT, "large")):
        key = make_key(meter.arena.settings, tenant, ("predict", "read"))
        for path in OF_A_TENANT:
            request = get(f"/api/v1/{path}", f"Authorization: Bearer {key}")
            traffic = Traffic(port=port, request=request, connections=1)
            name = f"GET {path}, of a {said} tenant"
            found[name] = meter.cost(lambda traffic=traffic: _one_by_one(traffic, 0.0), program=pid)  # type: ignore[misc]  # bound at once
    return found


def _one_by_one(traffic: Traffic, pause: float) -> Load:
    """Ask a few times, or fewer where pauses make that long. A reading that takes too long is refused."""
    traffic = replace(traffic, statuses=(b"200", b"503"), numbers=range(1 if pause else READINGS))
    if not pause:
        return run_load(traffic)
    latencies = []
    for _ in range(PAUSED_READINGS):
        latencies += run_load(traffic).latencies_ms
        time.sleep(pause)
    return Load(pause * PAUSED_READINGS, sorted(latencies))
