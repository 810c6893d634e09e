"""Running the supervisor as a process of its own, and waiting for what it does."""

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from local.child_environment import child_environment
from local.state import ProcessRecord, Run, StateFolder
from local.supervisor.process_table import ProcessIdentity, await_end, is_alive, read_process
from local.supervisor.processes import ChildProcess, Command
from tests.checkout import CHECKOUT

SCRIPT = Path(__file__).with_name("run_stack.py")
SLEEP = "import time; time.sleep(600)"


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


class StackRunner:
    def __init__(self, root: Path, **programs: str) -> None:
        self.root = root
        self.output = root / "output"
        arguments = [f"{name}={code}" for name, code in programs.items()]
        self.output.unlink(missing_ok=True)
        self.process = ChildProcess(
            Command(
                arguments=(sys.executable, str(SCRIPT), str(root), *arguments),
                directory=CHECKOUT,
                environment=child_environment({"PYTHONPATH": str(CHECKOUT)}),
                log=self.output,
            )
        )

    def run(self) -> Run:
        run = StateFolder(self.root).load()
        assert run is not None
        return run

    def record(self, name: str) -> ProcessRecord:
        return next(record for record in self.run().records if record.name == name)

    def identities(self) -> list[ProcessIdentity]:
        run = StateFolder(self.root).load()
        return [record.identity for record in run.records if record.identity] if run else []

    def await_banner(self) -> None:
        self.await_output("everything runs")

    def await_output(self, text: str) -> None:
        wait_until(lambda: text in self.output.read_text() or self.process.exit_code is not None)
        assert text in self.output.read_text()

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> float:
        began = time.monotonic()
        self.process.signal(number)
        assert self.process.wait(15)
        return time.monotonic() - began

    def crash(self) -> None:
        self.process.signal(signal.SIGKILL)
        assert self.process.wait(5)

    def close(self) -> None:
        self.process.stop(grace=15)


def all_ended(identities: list[ProcessIdentity], seconds: float = 8.0) -> bool:
    return not await_end(identities, seconds)


def identity_of(pid: int) -> ProcessIdentity:
    entry = read_process(pid)
    assert entry is not None
    assert is_alive(entry.identity)
    return entry.identity
