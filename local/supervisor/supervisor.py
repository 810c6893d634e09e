"""Starts everything, watches it, and leaves no process behind."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from local.child_environment import child_environment
from local.state import ProcessRecord, Run, StateFolder
from local.supervisor.base import Service, ServiceFailed
from local.supervisor.console import Console
from local.supervisor.log_files import LogFiles, set_aside
from local.supervisor.process_table import own_identity
from local.supervisor.program import Program
from local.supervisor.supervised import FAILED, RUNNING, STOPPED, Supervised

ROUND_SECONDS = 0.1
READY_SECONDS = 60.0
QUIET_SECONDS = 0.5
LONGEST_QUIET_WAIT_SECONDS = 3.0
PROGRAM_GRACE_SECONDS = 6.0
SERVER_GRACE_SECONDS = 2.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """The parts of one run.

    `servers` are started first and stopped last. Then each of `preparations` must end with code 0. Then the `programs`
    are started.
    """

    root: Path
    servers: Sequence[Service]
    preparations: Sequence[Program]
    programs: Sequence[Service]
    external: Sequence[ProcessRecord] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    banner: str = ""
    run_tag: str


class Supervisor:
    """Runs a stack until it is told to stop. Use it in the main thread, while holding the folder's lock."""

    def __init__(self, stack: Stack, folder: StateFolder, console: Console) -> None:
        self._stack = stack
        self._folder = folder
        self._console = console
        self._servers = [Supervised(server) for server in stack.servers]
        self._programs = [Supervised(program) for program in stack.programs]
        services = [*stack.servers, *stack.preparations, *stack.programs]
        self._log_files = LogFiles({service.name: service.log for service in services})
        self._unshown = {service.name: service.unshown for service in services}
        self._saved: Run | None = None
        self._last_line_at = 0.0
        for service in services:
            set_aside(service.log)

    def run(self) -> None:
        """Start all and watch until SIGINT, SIGTERM or SIGHUP; raise ServiceFailed when the start fails."""
        with _signals_interrupt(), self._reaper():
            try:
                self._start_servers()
                self._prepare()
                self._start_programs()
                self._watch()
            except KeyboardInterrupt:
                self._console.say("stopping")
            finally:
                for number in STOP_SIGNALS:
                    signal.signal(number, signal.SIG_IGN)
                self._stop_all()

    def _start_servers(self) -> None:
        for server in self._servers:
            self._console.say(f"starting {server.service.name} on {server.service.address}")
            server.launch(time.monotonic())
            self._save()
        for server in self._servers:
            if server.state == FAILED:
                raise ServiceFailed(server.reason)
            server.service.await_ready(READY_SECONDS)
            server.state = RUNNING
        self._round()

    def _prepare(self) -> None:
        for preparation in self._stack.preparations:
            self._console.say(f"running {preparation.name}")
            try:
                preparation.launch()
                while preparation.pid is not None:
                    self._round()
                    time.sleep(ROUND_SECONDS)
            finally:
                preparation.stop()
            if preparation.exit_code != 0:
                raise ServiceFailed(preparation.described(preparation.ending))

    def _start_programs(self) -> None:
        names = ", ".join(program.service.name for program in self._programs)
        self._console.say(f"starting {names}")
        for program in self._programs:
            program.launch(time.monotonic())
            self._save()

    def _watch(self) -> None:
        running_since: float | None = None
        announced = False
        while True:
            self._round()
            if running_since is None and all(program.state == RUNNING for program in self._programs):
                running_since = time.monotonic()
            if running_since is not None and not announced and self._is_quiet(running_since):
                announced = True
                self._console.plain(self._stack.banner)
            time.sleep(ROUND_SECONDS)

    def _is_quiet(self, since: float) -> bool:
        # Wait until the programs log no more, so that the banner does not scroll away.
        now = time.monotonic()
        return now - self._last_line_at > QUIET_SECONDS or now - since > LONGEST_QUIET_WAIT_SECONDS

    def _round(self) -> None:
        for supervised in (*self._servers, *self._programs):
            if message := supervised.check(time.monotonic()):
                self._console.say(message)
        self._save()
        self._follow_logs()

    def _follow_logs(self) -> None:
        for name, line in self._log_files.new_lines():
            if any(mark in line for mark in self._unshown[name]):
                continue
            self._console.show(name, line)
            self._last_line_at = time.monotonic()

    def _save(self) -> None:
        records = tuple(supervised.record() for supervised in (*self._servers, *self._programs))
        supervisor = self._saved.supervisor if self._saved else own_identity()
        run = Run(supervisor, self._stack.run_tag, (*records, *self._stack.external), self._stack.environment)
        if run != self._saved:
            self._folder.save(run)
            self._saved = run

    def _stop_all(self) -> None:
        for group, grace in ((self._programs, PROGRAM_GRACE_SECONDS), (self._servers, SERVER_GRACE_SECONDS)):
            deadline = time.monotonic() + grace
            for supervised in group:
                supervised.service.request_stop()
            for supervised in group:
                supervised.service.stop(max(0.0, deadline - time.monotonic()))
                if supervised.state != FAILED:
                    supervised.state = STOPPED
        self._save()
        self._follow_logs()

    @contextmanager
    def _reaper(self) -> Iterator[None]:
        # It must not carry the run tag: it kills every process that does.
        reaper = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "local.supervisor.orphans", str(self._stack.root), self._stack.run_tag],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=Path(__file__).resolve().parents[2],
            env=child_environment(),
            start_new_session=True,
        )
        try:
            yield
        finally:
            reaper.communicate()


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Turn the stop signals into KeyboardInterrupt; restore the old handlers at the end."""
    old = {number: signal.signal(number, signal.default_int_handler) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, reaction in old.items():
            signal.signal(number, reaction)
