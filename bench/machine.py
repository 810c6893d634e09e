"""The machine that measures."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict


class Machine(TypedDict):
    """What figures depend on, as far as it is known."""

    cpu: str
    cores: int
    kernel: str
    python: str
    load_before: float


def this_machine() -> Machine:
    """Describe it; `load_before` is the load average of the last minute."""
    return Machine(
        cpu=_cpu_model(),
        cores=len(os.sched_getaffinity(0)),
        kernel=platform.release(),
        python=platform.python_version(),
        load_before=round(os.getloadavg()[0], 1),
    )


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def described(machine: Machine, day: str = "") -> str:
    """Say it in a line, with the day, today unless given."""
    return (
        f"{day or datetime.now(UTC).date()}, {machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}, "
        f"Python {machine['python']}, load average {machine['load_before']} before."
    )
