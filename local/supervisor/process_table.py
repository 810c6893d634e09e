"""What /proc says about running processes; Linux only, like the servers that `make up` brings."""

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process that cannot be mistaken for a later one with the same pid."""

    pid: int
    start_ticks: int


@dataclass(frozen=True, slots=True)
class ProcessEntry:
    """One row of the process table."""

    identity: ProcessIdentity
    parent: int
    session: int
    zombie: bool


def read_process(pid: int) -> ProcessEntry | None:
    """Return the entry of `pid`, or None when there is no such process."""
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name in brackets may itself hold spaces and brackets.
    fields = text.rpartition(")")[2].split()
    return ProcessEntry(
        identity=ProcessIdentity(pid=pid, start_ticks=int(fields[19])),
        parent=int(fields[1]),
        session=int(fields[3]),
        zombie=fields[0] in "ZX",
    )


def own_identity() -> ProcessIdentity:
    """Return the identity of this process."""
    entry = read_process(os.getpid())
    return entry.identity if entry else ProcessIdentity(os.getpid(), 0)


def all_processes() -> Iterator[ProcessEntry]:
    """Yield every process that this machine (or container) shows."""
    for folder in PROC.iterdir():
        if folder.name.isdigit() and (entry := read_process(int(folder.name))) is not None:
            yield entry


def is_alive(identity: ProcessIdentity) -> bool:
    """Tell whether exactly this process still runs; a zombie does not."""
    entry = read_process(identity.pid)
    return entry is not None and entry.identity == identity and not entry.zombie


def family(pid: int) -> frozenset[ProcessIdentity]:
    """Return `pid`, everything it started, directly or not, and everything in the session that it leads."""
    entries = [entry for entry in all_processes() if not entry.zombie]
    members = {pid}
    members.update(entry.identity.pid for entry in entries if entry.session == pid)
    grown = True
    while grown:
        children = {entry.identity.pid for entry in entries if entry.parent in members}
        grown = not children <= members
        members |= children
    return frozenset(entry.identity for entry in entries if entry.identity.pid in members)


def command_line(pid: int) -> tuple[str, ...]:
    """Return the words that the process was started with; nothing when it is gone or not ours to see."""
    return tuple(_strings(pid, "cmdline"))


def environment_of(pid: int) -> dict[str, str]:
    """Return the variables that the process was started with; nothing when it is gone or not ours to see."""
    pairs = (variable.partition("=") for variable in _strings(pid, "environ"))
    return {name: value for name, _, value in pairs}


def working_directory(pid: int) -> Path | None:
    """Return the folder that the process works in; None when it is gone or not ours to see."""
    try:
        return (PROC / str(pid) / "cwd").readlink()
    except OSError:
        return None


def carries(pid: int, variable: str) -> bool:
    """Tell whether the process was started with `NAME=value` in its environment."""
    return variable in _strings(pid, "environ")


def _strings(pid: int, file: str) -> list[str]:
    try:
        content = (PROC / str(pid) / file).read_bytes()
    except OSError:
        return []
    return [os.fsdecode(part) for part in content.split(b"\0") if part]


def await_end(identities: Iterable[ProcessIdentity], timeout: float) -> frozenset[ProcessIdentity]:
    """Wait until all have ended, at most `timeout` seconds; return those that have not."""
    deadline = time.monotonic() + timeout
    alive = frozenset(identity for identity in identities if is_alive(identity))
    while alive and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        alive = frozenset(identity for identity in alive if is_alive(identity))
    return alive
