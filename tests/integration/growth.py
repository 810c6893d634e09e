"""How much memory this process and its decoders take while something happens."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

RESET_PEAK = "5"
"""What makes the kernel count a process's peak of memory anew (proc(5), clear_refs)."""


@dataclass
class Growth:
    """The sum of each process's peak above what it had before, in bytes; known after the block."""

    total: int = 0


@contextmanager
def growth() -> Iterator[Growth]:
    """Measure the block. A decoder that is started in the block counts in full."""
    before = {pid: kilobytes(pid, "VmRSS") for pid in (os.getpid(), *decoder_pids())}
    for pid in before:
        Path(f"/proc/{pid}/clear_refs").write_text(RESET_PEAK)
    measured = Growth()
    yield measured
    peaks = {pid: kilobytes(pid, "VmHWM") for pid in (os.getpid(), *decoder_pids())}
    measured.total = 1024 * sum(max(0, peak - before.get(pid, 0)) for pid, peak in peaks.items())


def decoder_pids() -> list[int]:
    """Return the process ids of the decoders that this process has started and that run."""
    children = {pid for each in Path("/proc/self/task").glob("*/children") for pid in _read(each).split()}
    return [int(pid) for pid in children if "workers.pictures.decoder_process" in _read(Path(f"/proc/{pid}/cmdline"))]


def kilobytes(pid: int, name: str) -> int:
    """Return a figure of a process's memory by its name in /proc; 0 when the process has ended."""
    lines = _read(Path(f"/proc/{pid}/status")).splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)


def _read(path: Path) -> str:
    """Return the text of a file of /proc; nothing if its process or thread has just ended."""
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
