"""What rounds of maintenance cost on tables of some size: idle ones, and those with a thousand rows to work off."""

import time
from collections.abc import Callable

from redis import Redis

from bench.growth.costs import Cost, Meter
from bench.kinds_of_backlog import BACKLOGS
from bench.load import WrongAnswer
from bench.traffic import Load
from shared.config import load_settings
from tests.freezing import frozen_process
from workers.bootstrap import WorkerServices, build_worker

ROUNDS = 20
ROWS = 1000
LIMIT_SECONDS = 300.0

CLEAN = "DELETE FROM {} WHERE id < '019a0010-0000-7000-8000-000000000000'"
"""The backlogs' ids are older than those of anything else."""


def costs_of_sweeps(meter: Meter) -> dict[str, Cost]:
    """Measure rounds of real maintenance, which runs in this process; the stack's own has to sleep."""
    worker = build_worker(load_settings(meter.arena.settings))
    tasks = worker.maintenance
    rounds: dict[str, Callable[[], None]] = {
        "sweep of jobs": tasks.sweep_jobs,
        "fold": tasks.fold_statistics,
        "prune": tasks.prune,
    }
    try:
        found = {f"idle round: {name}": _idle(meter, task) for name, task in rounds.items()}
        with frozen_process(meter.arena.stack.pid("worker-image")):
            for name, backlog in BACKLOGS.items():
                if backlog.insert:
                    found[f"1 of {ROWS:,} {name}"] = _worked_off(meter, worker, name, list(rounds.values()))
    finally:
        worker.close()
    return found


def _idle(meter: Meter, task: Callable[[], None]) -> Cost:
    task()

    def rounds() -> Load:
        latencies = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            task()
            latencies.append((time.perf_counter() - began) * 1000)
        return Load(sum(latencies) / 1000, sorted(latencies))

    return meter.cost(rounds)


def _worked_off(meter: Meter, worker: WorkerServices, name: str, rounds: list[Callable[[], None]]) -> Cost:
    """Make a backlog, measure how it is worked off, and take away what is left of its rows."""
    sql, left = meter.statements.sql, f"SELECT EXISTS ({BACKLOGS[name].left})"
    # A sweep that comes late believes that the database was away, and rescues nothing for a while.
    worker.maintenance.sweep_jobs()
    sql(BACKLOGS[name].insert, (ROWS,))

    def work_off() -> None:
        until = time.monotonic() + LIMIT_SECONDS
        while sql(left)[0][0]:
            if time.monotonic() > until:
                message = f"{name}: not worked off within {LIMIT_SECONDS:g} s"
                raise WrongAnswer(message)
            for task in rounds:
                task()

    try:
        return meter.cost(work_off, ROWS)
    finally:
        with Redis.from_url(meter.arena.settings["CELERY_BROKER_URL"]) as broker:
            broker.delete("image")
        for table in ("jobs", "requests", "provider_calls"):
            sql(CLEAN.format(table))
