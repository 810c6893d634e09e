"""An API as operators run it, `python -m api`, on the servers of the test session."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from local.ports import free_port
from tests.stack import FOREIGN, eventually

START_SECONDS = 60
CLIENTS = 4


@dataclass
class Traffic:
    """When each call was answered, by the monotonic clock, and how."""

    answered: list[tuple[float, int]] = field(default_factory=list)

    def before(self, moment: float) -> int:
        """Count the answers that had come by then."""
        return sum(at <= moment for at, _ in self.answered)

    def statuses(self) -> set[int]:
        return {status for _, status in self.answered}


@dataclass(frozen=True)
class ApiProcess:
    """A running API with one server process, in a process group of its own."""

    process: "subprocess.Popen[bytes]"
    url: str

    def get(self, path: str) -> Any:
        return requests.get(f"{self.url}{path}", timeout=10).json()

    def ask(self, session: requests.Session, number: int) -> int:
        """Ask for what no tier has and no job shall be made of: an outcome, without a row in `jobs`."""
        body = {"task_type": "sentiment", "input": f"call {number} of {self.url}"}
        headers = {"Cache-Control": "only-if-cached"}
        return session.post(f"{self.url}/api/v1/predict", json=body, headers=headers, timeout=10).status_code

    def ask_often(self, count: int) -> Traffic:
        """Make this many calls, one after the other."""
        traffic = Traffic()
        with requests.Session() as session:
            for number in range(count):
                status = self.ask(session, number)
                traffic.answered.append((time.monotonic(), status))
        return traffic

    @contextmanager
    def under_traffic(self) -> Iterator[Traffic]:
        """Have some clients call without a pause until the end, or until they find nobody."""
        traffic, stopping = Traffic(), threading.Event()

        def call(client: int) -> None:
            with requests.Session() as session:
                number = client
                while not stopping.is_set():
                    try:
                        status = self.ask(session, number)
                    except requests.RequestException:
                        return
                    traffic.answered.append((time.monotonic(), status))
                    number += CLIENTS

        with ThreadPoolExecutor(CLIENTS) as pool:
            for client in range(CLIENTS):
                pool.submit(call, client)
            try:
                yield traffic
            finally:
                stopping.set()

    def kill(self) -> None:
        """End all of it at once, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self.process.terminate()
        self.process.wait(30)


@contextmanager
def api_process(environment: dict[str, str], folder: Path, module: str = "api") -> Iterator[ApiProcess]:
    """Start an API, wait until it serves, and leave nothing of it behind."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    port = free_port()
    with (folder / "api.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", module],
            env={**inherited, **environment, "PORT": str(port)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    api = ApiProcess(process, f"http://127.0.0.1:{port}")
    try:
        eventually(lambda: _serves(api), START_SECONDS)
        yield api
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


def _serves(api: ApiProcess) -> bool:
    assert api.process.poll() is None, "the API ended"
    try:
        return requests.get(f"{api.url}/api/v1/health/ready", timeout=5).ok
    except (requests.ConnectionError, requests.Timeout):
        return False
