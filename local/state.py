"""The folder `.askonce`, where a checkout keeps the state of what it runs. Closed to other users."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from local.errors import LocalError
from local.remembered import write_private
from local.supervisor.process_table import ProcessIdentity, is_alive

FOLDER = ".askonce"
EXTERNAL = "external"
"""The state of a process that runs but was not started by the supervisor."""


class AlreadyRunning(LocalError):
    """AskOnce already runs in this checkout; `make status` shows it."""


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """What is known of one service. `identity` is None if we have no process of it."""

    name: str
    state: str
    address: str | None = None
    log: str | None = None
    identity: ProcessIdentity | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the supervisor: its identity, the services it started, and the run tag of its processes."""

    supervisor: ProcessIdentity
    run_tag: str
    records: tuple[ProcessRecord, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def is_alive(self) -> bool:
        """Return whether its supervisor still runs."""
        return is_alive(self.supervisor)


class StateFolder:
    """The folder `.askonce` of a checkout."""

    def __init__(self, root: Path) -> None:
        self.path = root / FOLDER
        self.logs = self.path / "logs"
        self._run = self.path / "run.json"

    def create(self) -> None:
        """Create the folder, or close an existing one to other users."""
        self.path.mkdir(mode=0o700, exist_ok=True)
        self.path.chmod(0o700)
        self.logs.mkdir(mode=0o700, exist_ok=True)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock of this checkout's only supervisor; raise AlreadyRunning."""
        with (self.path / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise AlreadyRunning(AlreadyRunning.__doc__) from error
            yield

    def save(self, run: Run) -> None:
        """Replace the recorded run."""
        write_private(self._run, json.dumps(asdict(run), indent=1))

    def load(self) -> Run | None:
        """Return the last recorded run, alive or not; None when there is none or it is unreadable."""
        try:
            raw = json.loads(self._run.read_text())
            records = tuple(_record(record) for record in raw["records"])
            return Run(ProcessIdentity(**raw["supervisor"]), raw["run_tag"], records, raw["environment"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None


def _record(raw: Mapping[str, Any]) -> ProcessRecord:
    identity = ProcessIdentity(**raw["identity"]) if raw["identity"] else None
    return ProcessRecord(**{**raw, "identity": identity})


def new_run_tag() -> str:
    """Return a NAME=value that marks the processes of one run in their environment."""
    return f"ASKONCE_RUN={os.getpid()}-{os.urandom(8).hex()}"
