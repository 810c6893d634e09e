"""The whole of AskOnce as `make up` runs it: real servers, API, workers, beat, Flower and simulator."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import psutil
import psycopg2
import requests
from pymemcache.client.base import Client as MemcachedClient
from redis import Redis

from local.ports import free_port
from tests.at_the_end import AT_THE_END
from tests.freezing import children, frozen_process

T = TypeVar("T")
START_SECONDS = 90
PROGRAMS = ("api", "worker-text", "worker-image", "worker-maintenance", "beat", "flower", "simulator")

# Faults are waited for in these tests: they should pass quickly.
SHORT_TIMEOUTS = {
    "LEASE_SECONDS": "2",
    "REPUBLISH_SECONDS": "1",
    "RETRY_BASE_SECONDS": "0.1",
    "SHUTDOWN_GRACE_SECONDS": "2",
}
SUPERVISOR = """
import sys
from pathlib import Path
from local.supervisor.console import Console
from local.up import up
from shared.config import read_environment
root = Path(sys.argv[1])
up(root, read_environment(root / ".env"), Console(sys.stdout))
"""
FOREIGN = ("GROQ", "HF_", "DATABASE", "MIGRATION", "REDIS", "CELERY", "MEMCACHED", "SIMULATOR", "TEXT_", "IMAGE_")


def eventually(probe: Callable[[], T | None], timeout: float = 90.0) -> T:
    """Return the first true value of `probe`; fail when there was none in time."""
    began = time.monotonic()
    while not (value := probe()):
        waited = time.monotonic() - began
        assert waited < timeout, f"did not happen within {timeout:g} s"
        # What takes long is looked at less often: looking costs others their time.
        time.sleep(min(0.1, 0.02 + waited / 20))
    return value


class System:
    """AskOnce as its clients see it, wherever it runs."""

    @property
    def environment(self) -> dict[str, str]:
        """The addresses of everything."""
        raise NotImplementedError

    def url(self, path: str) -> str:
        """Return the address of a path of the API."""
        return f"{self.environment['API_URL']}{path}"

    def predict(self, body: dict[str, Any] | None = None, **kwargs: Any) -> requests.Response:
        """POST a request."""
        return requests.post(self.url("/api/v1/predict"), json=body, timeout=90, **kwargs)

    def answers(self) -> bool:
        """Tell whether the API serves."""
        try:
            return requests.get(self.url("/api/v1/health/ready"), timeout=5).ok
        except (requests.ConnectionError, requests.Timeout):
            return False

    def job(self, job_id: str) -> dict[str, Any]:
        """Read a job."""
        found: dict[str, Any] = requests.get(self.url(f"/api/v1/jobs/{job_id}"), timeout=30).json()
        return found

    def ended(self, job_id: str, timeout: float = 30.0) -> dict[str, Any]:
        """Wait for a job's end."""

        def probe() -> dict[str, Any] | None:
            job = self.job(job_id)
            return job if job["status"] in {"completed", "failed", "cancelled"} else None

        return eventually(probe, timeout)

    def simulator(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Talk to the simulator's admin interface."""
        url = f"{self.environment['SIMULATOR_URL']}/admin/{path}"
        reply = requests.request(method, url, json=body, timeout=30)
        return reply.json() if reply.content else None

    def fault(self, fault: str, **more: Any) -> None:
        """Let provider calls go wrong."""
        self.simulator("POST", "faults", {"fault": fault, **more})

    def paid(self) -> int:
        """Return how many provider calls were answered since the last reset."""
        return int(self.simulator("GET", "calls")["paid"])

    def calm(self) -> None:
        """Clear faults and counters, and let providers be asked at once."""
        with Redis.from_url(self.environment["REDIS_CACHE_URL"]) as redis:
            for prefix in ("breaker", "probe", "pause", "slots"):
                for key in redis.scan_iter(f"askonce:{prefix}:*"):
                    redis.delete(key)
        self.simulator("DELETE", "faults")
        self.simulator("DELETE", "calls")
        self.simulator("PUT", "latency", {"seconds": 0})
        self.simulator("PUT", "pace", {"seconds": 0})
        self.simulator("PUT", "prompt-cache", {"on": False})

    def cancel_live_jobs(self) -> None:
        """Cancel what waits or runs; what ends meanwhile is left as it is."""
        for (job_id,) in self.sql("SELECT id::text FROM jobs WHERE status IN ('queued', 'in_progress')"):
            requests.post(self.url(f"/api/v1/jobs/{job_id}/cancel"), timeout=30)

    def wait_for_calls_in_flight(self, count: int) -> None:
        """Wait until the simulator holds this many calls of this test; one that an earlier test has left may go on."""

        def probe() -> bool:
            calls = self.simulator("GET", "calls")["calls"]
            return sum(call["finished_at"] is None for call in calls) >= count

        eventually(probe)

    def eventually_hit(self, body: dict[str, Any]) -> dict[str, Any]:
        """Ask from memory only until there is an answer."""

        def probe() -> dict[str, Any] | None:
            reply = self.predict(body, headers={"Cache-Control": "only-if-cached"})
            return reply.json() if reply.ok else None

        return eventually(probe)

    def statistics(self) -> dict[str, Any]:
        """Read the totals."""
        totals: dict[str, Any] = requests.get(self.url("/api/v1/statistics"), timeout=10).json()["totals"]
        return totals

    @contextmanager
    def in_background(self, body: dict[str, Any], **kwargs: Any) -> Iterator["Future[requests.Response]"]:
        """POST a request from another thread."""
        with ThreadPoolExecutor(1) as pool:
            yield pool.submit(self.predict, body, **kwargs)

    def forget_first_tier(self) -> None:
        """Empty memcached."""
        host, port = self.environment["MEMCACHED_SERVERS"].split(":")
        client = MemcachedClient((host, int(port)), timeout=5)
        client.flush_all(noreply=False)
        client.close()

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the database."""
        connection = psycopg2.connect(self.environment["DATABASE_URL"])
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(query)
                return list(cursor.fetchall())
        finally:
            connection.close()


@dataclass(frozen=True)
class Stack(System):
    """A running stack. Its state folder is `root`/.askonce."""

    root: Path
    supervisor: "subprocess.Popen[bytes]"

    def run(self) -> dict[str, Any]:
        """Return what the supervisor has on record."""
        run: dict[str, Any] = json.loads((self.root / ".askonce" / "run.json").read_text())
        return run

    @property
    def environment(self) -> dict[str, str]:
        """The addresses of everything."""
        environment: dict[str, str] = self.run()["environment"]
        return environment

    def states(self) -> dict[str, str]:
        """Return the state of each process by name."""
        return {record["name"]: record["state"] for record in self.run()["records"]}

    def pid(self, name: str) -> int:
        """Return the process id of a running process."""
        records = {record["name"]: record for record in self.run()["records"]}
        return int(records[name]["identity"]["pid"])

    def end(self, name: str, number: signal.Signals) -> None:
        """Send a signal that ends a process, and wait until it and its children are gone and another one runs.

        Children may go on for a moment when their parent is killed, and answer in its place.
        """
        ended = [self.pid(name), *children(self.pid(name))]
        os.kill(ended[0], number)
        eventually(lambda: not any(map(psutil.pid_exists, ended)), 60)
        self.runs_anew(name, ended[0], 60)

    def runs_anew(self, name: str, pid: int, timeout: float = 30.0) -> None:
        """Wait until a process has been replaced by the supervisor."""

        def probe() -> bool:
            record = next(record for record in self.run()["records"] if record["name"] == name)
            return record["state"] == "running" and int(record["identity"]["pid"]) != pid

        eventually(probe, timeout)

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """Stop a process for a while, as a hung machine would: its connections stay open and nothing answers."""
        with frozen_process(self.pid(name)):
            yield

    def kill_with_children(self, name: str) -> None:
        """Kill a process and its children at one instant."""
        pid = self.pid(name)
        with frozen_process(pid) as stopped:
            for process in stopped:
                os.kill(process, signal.SIGKILL)

    @contextmanager
    def another(self, role: str) -> Iterator[None]:
        """Run one more process of a role beside the stack."""
        environment = {**os.environ, **SHORT_TIMEOUTS, **self.environment}
        log = (self.root / f"another-{role}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", "workers", role], env=environment, cwd=self.root, stdout=log, stderr=log
        )
        log.close()
        try:
            yield
        finally:
            process.kill()
            process.wait()

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a process by its name."""
        os.kill(self.pid(name), number)


def start_stack(root: Path, extra: dict[str, str] | None = None) -> Stack:
    """Start everything with its state in `root`, and wait until it serves."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    environment = {
        **inherited,
        **SHORT_TIMEOUTS,
        "PORT": str(free_port()),
        "FLOWER_PORT": str(free_port()),
        **(extra or {}),
    }
    log = (root / "supervisor.log").open("wb")
    # However this process ends, the stack ends with it.
    command = ["setpriv", "--pdeathsig=TERM", "--", sys.executable, "-c", SUPERVISOR, str(root)]
    supervisor = subprocess.Popen(command, env=environment, cwd=root, stdout=log, stderr=log)
    log.close()
    stack = Stack(root, supervisor)
    try:
        eventually(lambda: _serves(stack), START_SECONDS)
    except BaseException:
        stop_stack(stack)
        sys.stderr.write((root / "supervisor.log").read_text()[-5000:])
        raise
    return stack


def _serves(stack: Stack) -> bool:
    assert stack.supervisor.poll() is None, "the supervisor ended"
    try:
        states = stack.states()
    except (FileNotFoundError, ValueError):
        return False
    return set(states.values()) <= {"running", "external"}


def stop_stack(stack: Stack) -> None:
    """Stop everything and wait for the end."""
    stack.supervisor.send_signal(signal.SIGTERM)
    try:
        stack.supervisor.wait(30)
    finally:
        stack.supervisor.kill()
        stack.supervisor.wait()


class SessionStack:
    """The stack that the tests of a session share: started when one first needs it."""

    def __init__(self) -> None:
        self._stack: Stack | None = None
        self._root: TemporaryDirectory[str] | None = None

    def running(self) -> Stack:
        """Return the stack; start it unless it runs."""
        if self._stack is None:
            self._root = TemporaryDirectory(prefix="askonce-stack-")
            self._stack = start_stack(Path(self._root.name))
            AT_THE_END.callback(self.stop)
        return self._stack

    def stop(self) -> None:
        """Stop it, if it runs. Who needs it afterwards gets a new one."""
        if self._stack is None or self._root is None:
            return
        stop_stack(self._stack)
        self._root.cleanup()
        self._stack = self._root = None


SESSION_STACK = SessionStack()


def processes_naming(path: Path) -> list[str]:
    """Return the command lines of all processes that name a path."""
    commands = (" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"]))
    return [command for command in commands if str(path) in command]
