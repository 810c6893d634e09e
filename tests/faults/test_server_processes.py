"""Server processes that end: replaced, given up, or ended together."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import psutil
import pytest
import requests

from api.processes import YOUNG_SECONDS
from local.ports import free_port
from tests.api_process import ApiProcess
from tests.freezing import children
from tests.stack import FOREIGN, eventually

Open = Callable[..., ApiProcess]
MAIN = "import sys; from api.__main__ import main; sys.exit(main(sys.argv[1]))"


def serves(api: ApiProcess) -> bool:
    """Whether a connection of its own gets an answer."""
    return requests.get(f"{api.url}/api/v1/health/live", timeout=10).ok


def are_grown_up(pids: list[int]) -> bool:
    # When a process began is known to the second only.
    return all(time.time() - psutil.Process(pid).create_time() > YOUNG_SECONDS + 2 for pid in pids)


def test_a_killed_process_is_replaced_while_the_other_serves_and_all_end_with_their_parent(open_process: Open) -> None:
    api = open_process(API_PROCESSES="2")
    first, second = eventually(lambda: children(api.process.pid) if len(children(api.process.pid)) == 2 else None)
    eventually(lambda: are_grown_up([first, second]))
    os.kill(first, signal.SIGKILL)
    eventually(lambda: first not in children(api.process.pid))
    eventually(lambda: serves(api) and len(set(children(api.process.pid)) - {first}) == 2)
    now = children(api.process.pid)
    assert (second in now, first in now) == (True, False)
    api.stop()
    assert (api.process.returncode, [pid for pid in now if psutil.pid_exists(pid)]) == (0, [])


def test_an_api_that_is_told_to_stop_while_its_processes_start_ends_with_them(open_process: Open) -> None:
    api = open_process(API_PROCESSES="3")
    now = children(api.process.pid)
    api.stop()
    assert (api.process.returncode, [pid for pid in now if psutil.pid_exists(pid)]) == (0, [])


@pytest.mark.parametrize("application", ["nowhere:create", "api.server:nothing", "os:getpid"])
def test_an_api_whose_processes_end_at_once_ends_as_failed(environment: dict[str, str], application: str) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    settings = {"PORT": str(free_port()), "API_PROCESSES": "2"}
    command = [sys.executable, "-c", MAIN, application]
    ended = subprocess.run(
        command, env={**inherited, **environment, **settings}, capture_output=True, timeout=60, check=False
    )
    assert (ended.returncode, b"Server process has ended" in ended.stdout + ended.stderr) == (1, True)
