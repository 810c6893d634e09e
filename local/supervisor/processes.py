"""A child process that never outlives its parent."""

import os
import signal
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from local.supervisor.process_table import ProcessIdentity, await_end, family, is_alive, read_process

# The parent may die before the death signal is set: then nobody would ever send it.
STILL_OUR_CHILD = 'test "$PPID" = "$0" && exec "$@"'
KILL_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to run, where its output goes and which signals end it.

    `prefix`: a command that changes the circumstances and then runs `arguments` (`unshare`, `setpriv`).
    """

    arguments: tuple[str, ...]
    directory: Path
    log: Path
    environment: Mapping[str, str] = field(repr=False)
    prefix: tuple[str, ...] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL


class ChildProcess:
    """A running command in its own session; its output is appended to its log file.

    The kernel ends it when the thread that created it ends: create it from the main thread.
    """

    def __init__(self, command: Command) -> None:
        """Start `command` now; raise OSError when its program is missing."""
        self.command = command
        guard = ("setpriv", f"--pdeathsig={command.death_signal.name}", "--", "sh", "-c", STILL_OUR_CHILD)
        command.log.parent.mkdir(parents=True, exist_ok=True)
        with command.log.open("ab") as log:
            # A change of credentials clears the death signal, so the prefix comes first.
            self._process = subprocess.Popen(  # noqa: S603
                [*command.prefix, *guard, str(os.getpid()), *command.arguments],
                cwd=command.directory,
                env=command.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._asked_to_stop = False
        entry = read_process(self._process.pid)
        self.identity = entry.identity if entry else ProcessIdentity(self._process.pid, 0)

    @property
    def pid(self) -> int:
        """The process id of the program itself, even if there is a prefix."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative is the signal that ended it."""
        return self._process.poll()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process itself, unless it has ended."""
        self._process.send_signal(number)

    def wait(self, timeout: float) -> bool:
        """Wait for its end; return whether it came in time."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def request_stop(self) -> None:
        """Ask it to end, only once: many programs abort at a second request."""
        if not self._asked_to_stop and self.exit_code is None:
            self._asked_to_stop = True
            self.signal(self.command.stop_signal)

    def stop(self, grace: float = KILL_SECONDS) -> None:
        """Ask it to end, wait `grace` seconds, then kill it and every process that it started."""
        members = family(self.pid)
        self.request_stop()
        self.wait(grace)
        self._kill(members)

    def kill(self) -> None:
        """Kill it and every process that it started, now."""
        self._kill(family(self.pid))

    def _kill(self, members: Iterable[ProcessIdentity]) -> None:
        if self.exit_code is None:
            self._process.kill()
        kill_all({*members, *family(self.pid)} - {self.identity})
        self._process.wait(KILL_SECONDS)


def kill_all(identities: Iterable[ProcessIdentity], number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to exactly these processes, if they still run. After SIGKILL, wait for their end."""
    targets = [identity for identity in identities if is_alive(identity)]
    for identity in targets:
        with suppress(ProcessLookupError):
            os.kill(identity.pid, number)
    if number is signal.SIGKILL:
        await_end(targets, KILL_SECONDS)
