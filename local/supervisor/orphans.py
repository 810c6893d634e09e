"""Ends the orphans: processes that a killed supervisor has left running.

Run as a program this is the reaper: it waits for the end of the supervisor that started it, then kills its orphans. The
kernel's death signal reaches only the supervisor's own children; the reaper also reaches their children.
"""

import signal
import sys
from pathlib import Path

from local.state import Run, StateFolder
from local.supervisor.process_table import ProcessIdentity, all_processes, await_end, carries, family
from local.supervisor.processes import kill_all

IMMEDIATE_SHUTDOWN_SECONDS = 2.0


def stop_orphans(run: Run) -> int:
    """Kill every process of `run` that still lives; return how many there were."""
    databases: set[ProcessIdentity] = set()
    others: set[ProcessIdentity] = set()
    for record in run.records:
        if record.identity is not None:
            target = databases if record.name == "postgres" else others
            target.update(_alive_family(record.identity))
    living = (entry.identity for entry in all_processes() if not entry.zombie)
    others.update(identity for identity in living if carries(identity.pid, run.run_tag))
    kill_all(others - databases)
    # When asked to stop, PostgreSQL ends its own children and leaves no shared memory behind.
    kill_all(databases, signal.SIGQUIT)
    kill_all(await_end(databases, IMMEDIATE_SHUTDOWN_SECONDS))
    return len(databases | others)


def _alive_family(identity: ProcessIdentity) -> frozenset[ProcessIdentity]:
    members = family(identity.pid)
    return members if identity in members else frozenset()


def watch(root: Path, run_tag: str) -> None:
    """Wait until standard input is closed, as it is when the supervisor ends; then kill its orphans."""
    sys.stdin.read()
    run = StateFolder(root).load()
    if run is not None and run.run_tag == run_tag:
        stop_orphans(run)


if __name__ == "__main__":
    watch(Path(sys.argv[1]), sys.argv[2])
