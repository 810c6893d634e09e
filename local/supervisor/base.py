"""One supervised program: how to launch it, when it is ready, how to end it."""

import signal
import time
from abc import ABC, abstractmethod
from pathlib import Path

from local.errors import LocalError
from local.supervisor.process_table import ProcessIdentity
from local.supervisor.processes import ChildProcess, Command

POLL_SECONDS = 0.03
TAIL_LINES = 20
TAIL_BYTES = 8192


class ServiceFailed(LocalError):
    """A service did not become ready."""


class Service(ABC):
    """A program with a name, an address that stays the same over restarts, and a log file.

    Start it from the main thread: it dies with the thread that started it.
    """

    name: str
    address: str | None
    log: Path
    #: Texts that mark log lines which are not shown at the terminal; they are in the log file only.
    unshown: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._process: ChildProcess | None = None

    @abstractmethod
    def command(self) -> Command:
        """Return what to run; called at every launch, after `prepare`."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Return whether the program serves; asks the program itself, by its own protocol."""

    def prepare(self) -> None:  # noqa: B027
        """Prepare a launch; called at every launch, so it must be safe to repeat."""

    def complete(self) -> None:  # noqa: B027
        """Do what is only possible while the program runs; called whenever it becomes ready."""

    @property
    def pid(self) -> int | None:
        """The process id, None when not running."""
        return self._process.pid if self._process and self._process.exit_code is None else None

    @property
    def identity(self) -> ProcessIdentity | None:
        """The process, in a form that is unique even if its pid is reused; None when not running."""
        return self._process.identity if self._process and self._process.exit_code is None else None

    @property
    def exit_code(self) -> int | None:
        """The exit code of the last process; None while it runs or before the first launch."""
        return self._process.exit_code if self._process else None

    @property
    def ending(self) -> str:
        """How the last process ended, in words; only for one that has ended."""
        code = self.exit_code
        if code is None or code >= 0:
            return f"ended with code {code}"
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return f"was ended by {name}"

    def launch(self) -> None:
        """Start the process without waiting; no effect if it runs."""
        if self.pid is None:
            self.prepare()
            self._process = ChildProcess(self.command())

    def await_ready(self, timeout: float = 30.0) -> None:
        """Wait until it serves; raise ServiceFailed, with the end of its log, when it dies or takes too long."""
        deadline = time.monotonic() + timeout
        while not self.is_ready():
            if self.pid is None:
                raise ServiceFailed(self.described(self.ending))
            if time.monotonic() > deadline:
                raise ServiceFailed(self.described(f"was not ready within {timeout:g} s"))
            time.sleep(POLL_SECONDS)
        self.complete()

    def start(self, timeout: float = 30.0) -> None:
        """Launch and wait until ready; a service that does not become ready is killed."""
        self.launch()
        try:
            self.await_ready(timeout)
        except ServiceFailed:
            self.kill()
            raise

    def request_stop(self) -> None:
        """Ask it to end, without waiting."""
        if self._process:
            self._process.request_stop()

    def stop(self, grace: float = 5.0) -> None:
        """End it and all processes that it started; kill them after `grace` seconds."""
        if self._process:
            self._process.stop(grace)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process:
            self._process.kill()

    def log_tail(self) -> str:
        """Return the last lines of its log."""
        if not self.log.is_file():
            return ""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - TAIL_BYTES))
            lines = log.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-TAIL_LINES:])

    def described(self, what: str) -> str:
        """Return a message about what happened to it, with the end of its log."""
        tail = self.log_tail().strip()
        return f"{self.name} {what}; log: {self.log}" + (f"\n{tail}" if tail else "")
