"""Finished jobs by worker processes and by how long the provider takes, all on all cores."""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bench.arena import Arena
from bench.cores import cpu_seconds
from bench.curves.table import Table
from bench.table.jobs import post_new
from local.child_environment import child_environment
from local.supervisor.processes import ChildProcess, Command
from tests.freezing import frozen_process

PROCESSES = (1, 2, 4)
PROVIDER_MS = (0, 50, 500)
JOBS = 480
THREADS = 16
WARM_JOBS_A_PROCESS = 32


def workers(arena: Arena) -> Table:
    """Run a backlog for each combination."""
    rows = []
    for count in PROCESSES:
        with _workers(arena, count) as pids:
            _warm(arena, count)
            for milliseconds in PROVIDER_MS:
                rate, cpu_ms = _run(arena, pids, milliseconds)
                threads = f"{rate * milliseconds / 1000 / count / THREADS:.0%}" if milliseconds else ""
                rows.append((f"{count}", f"{milliseconds}", f"{rate:,.0f}", f"{cpu_ms:.2f}", threads))
    head = ("worker processes", "provider ms", "jobs/s", "worker CPU ms a job", "of what the threads allow")
    note = f"Each has {THREADS} threads. All share the cores with PostgreSQL, Valkey and the simulator."
    return Table("Jobs by worker processes", head, rows, note, names=2)


@contextmanager
def _workers(arena: Arena, count: int) -> Iterator[list[int]]:
    """Run as many text workers; the stack's own is the first."""
    pids = [arena.stack.pid("worker-text")]
    with ExitStack() as ending:
        for number in range(1, count):
            command = Command(
                arguments=(sys.executable, "-m", "workers", "text"),
                directory=arena.stack.root,
                log=arena.stack.root / f"worker-{number}.log",
                environment=child_environment(arena.settings),
            )
            process = ChildProcess(command)
            ending.callback(process.stop)
            pids.append(process.pid)
        yield pids


def _warm(arena: Arena, count: int) -> None:
    """Give each process the time to start, and work to warm up with."""
    time.sleep(5.0 if count > 1 else 0.0)
    arena.stack.simulator("PUT", "latency", {"seconds": 0.2})
    post_new(arena, arena.some(count * WARM_JOBS_A_PROCESS))
    arena.until_idle()


def _run(arena: Arena, pids: list[int], milliseconds: int) -> tuple[float, float]:
    """Return jobs a second, and the workers' CPU per job in milliseconds."""
    arena.stack.simulator("PUT", "latency", {"seconds": milliseconds / 1000})
    with ExitStack() as frozen:
        for pid in pids:
            frozen.enter_context(frozen_process(pid))
        post_new(arena, arena.some(JOBS))
    with arena.unpinned(*pids):
        before, started = sum(map(cpu_seconds, pids)), time.monotonic()
        arena.until_idle()
        seconds = time.monotonic() - started
        taken = sum(map(cpu_seconds, pids)) - before
    arena.stack.simulator("PUT", "latency", {"seconds": 0})
    return JOBS / seconds, taken / JOBS * 1000
