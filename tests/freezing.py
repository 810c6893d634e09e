"""Freezing a server as a hung machine would: its connections stay open and nothing answers."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

STOP_SECONDS = 10.0


@contextmanager
def frozen_process(pid: int) -> Iterator[list[int]]:
    """Stop a process and its children, PostgreSQL's backends say; a parent goes first, so that it makes no more.

    The value is who was stopped.
    """
    freeze(pid)
    stopped = [pid]
    for child in children(pid):
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            freeze(child)
            stopped.append(child)
    try:
        yield stopped
    finally:
        for process in reversed(stopped):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)


def children(pid: int) -> list[int]:
    """Return the processes that a process has started and that still run."""
    return [process.pid for process in psutil.process_iter(["ppid"]) if process.info["ppid"] == pid]


def freeze(pid: int) -> None:
    """Stop a process, and wait until every thread has stopped: a thread that runs goes on a moment after the signal."""
    os.kill(pid, signal.SIGSTOP)
    deadline = time.monotonic() + STOP_SECONDS
    while not all(state in "TZ" for state in _states(pid)):
        assert time.monotonic() < deadline, f"process {pid} does not stop"
        time.sleep(0.001)


def _states(pid: int) -> list[str]:
    return [stat.read_text().rpartition(")")[2].split()[0] for stat in Path(f"/proc/{pid}/task").glob("*/stat")]
