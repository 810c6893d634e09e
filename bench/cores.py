"""Which core runs whom, and how much of a core a program has taken, from `/proc`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
STAT_TIMES = slice(11, 15)
"""utime, stime, cutime and cstime among the fields of `/proc/PID/stat` that follow the name."""


@dataclass(frozen=True, slots=True)
class Cores:
    """The core of the server under test, and those of everything else."""

    server: frozenset[int]
    rest: frozenset[int]

    @property
    def shared(self) -> bool:
        """Tell whether both are the same, on a machine with one core."""
        return self.server == self.rest


def split_cores() -> Cores:
    """Keep the last core free for servers under test; this process and all it will start run on the others."""
    *rest, last = sorted(os.sched_getaffinity(0))
    cores = Cores(frozenset({last}), frozenset(rest or {last}))
    os.sched_setaffinity(0, cores.rest)
    return cores


@contextmanager
def alone(cores: Cores, *pids: int) -> Iterator[None]:
    """Have these programs, with their children, on the core for servers, and back among the rest afterwards."""
    for pid in pids:
        _move(pid, cores.server)
    try:
        yield
    finally:
        for pid in pids:
            _move(pid, cores.rest)


@contextmanager
def on_all_cores(cores: Cores, *pids: int) -> Iterator[None]:
    """Let these programs, with their children, run anywhere for a while."""
    with alone(Cores(cores.server | cores.rest, cores.rest), *pids):
        yield


def cpu_seconds(pid: int) -> float:
    """Return what a program and its children have taken of a core so far, also those that have ended."""
    ticks = 0
    for process in family(pid):
        with suppress(OSError):
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[STAT_TIMES]))
    return ticks / TICKS_A_SECOND


def resident_mb(pid: int) -> float:
    """Return the memory of one process, without its children."""
    return float(psutil.Process(pid).memory_info().rss / 1_000_000)


def family(pid: int) -> list[int]:
    """Return a program and everything that descends from it."""
    try:
        process = psutil.Process(pid)
        return [pid, *(child.pid for child in process.children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


class Busy:
    """How busy the busiest of some cores is, from its creation on."""

    def __init__(self, cores: frozenset[int]) -> None:
        self._cores = cores
        self._before = _idle_and_total()

    def share(self) -> float:
        """Return 1 for a core that had no idle moment."""
        after = _idle_and_total()
        shares = [0.0]
        for core in self._cores:
            idle, total = (last - first for first, last in zip(self._before[core], after[core], strict=True))
            shares.append(1 - idle / total if total else 0.0)
        return max(shares)


def _idle_and_total() -> dict[int, tuple[float, float]]:
    times = psutil.cpu_times(percpu=True)
    # The time of guests is contained in that of users.
    return {
        core: (each.idle + each.iowait, sum(each) - getattr(each, "guest", 0) - getattr(each, "guest_nice", 0))
        for core, each in enumerate(times)
    }


def _move(pid: int, cores: frozenset[int]) -> None:
    for process in family(pid):
        for thread in Path(f"/proc/{process}/task").glob("*"):
            with suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread.name), cores)
