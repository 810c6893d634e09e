"""Metrics of several processes: real ones, each with its own numbers."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from local.child_environment import child_environment
from local.ports import free_port
from shared.metrics_board import MetricsBoard, folder_of
from tests.integration.eventually import eventually

OWN = b"""\
# TYPE n counter
n_total 1.0
# TYPE g gauge
g 1.0
# TYPE askonce_cache_server_down gauge
askonce_cache_server_down 1.0
"""


@pytest.fixture
def ended() -> int:
    """The id of a process that has ended."""
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return process.pid


def board(folder: Path, process: int) -> MetricsBoard:
    """Return the board of this process, with what another one has left there."""
    (folder / f"{process}.prom").write_bytes(OWN)
    return MetricsBoard(folder, lambda: OWN)


def values(board: MetricsBoard) -> dict[str, float]:
    lines = (line.rsplit(" ", 1) for line in board.render().decode().splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}


def test_counts_are_added_and_a_state_is_true_when_one_says_so(tmp_path: Path) -> None:
    found = values(board(tmp_path, os.getppid()))
    assert found == {"n_total": 2.0, "g": 2.0, "askonce_cache_server_down": 1.0}


def test_what_a_dead_process_counted_stays_and_what_it_held_goes(tmp_path: Path, ended: int) -> None:
    assert values(board(tmp_path, ended)) == {"n_total": 2.0, "g": 1.0, "askonce_cache_server_down": 1.0}


def test_the_last_numbers_of_a_process_stay(tmp_path: Path) -> None:
    mine = MetricsBoard(tmp_path, lambda: OWN)
    mine.close()
    assert (tmp_path / f"{os.getpid()}.prom").read_bytes() == OWN


def test_a_board_is_closed_to_other_users(tmp_path: Path) -> None:
    MetricsBoard(tmp_path / "board", lambda: OWN)
    assert (tmp_path / "board").stat().st_mode & 0o777 == 0o700


def test_no_thread_is_left_once_it_is_closed(tmp_path: Path) -> None:
    mine = MetricsBoard(tmp_path, lambda: OWN)
    mine.start()
    mine.close()
    eventually(lambda: "metrics" not in {thread.name for thread in threading.enumerate()})


@pytest.fixture
def api(environment: dict[str, str]) -> Iterator[str]:
    """An API of two processes; its address."""
    port = free_port()
    variables = {**environment, "PORT": str(port), "API_PROCESSES": "2", "API_THREADS": "4"}
    process = subprocess.Popen([sys.executable, "-m", "api"], env=child_environment(variables))
    try:
        url = f"http://127.0.0.1:{port}"
        eventually(lambda: is_ready(url), 30)
        yield url
    finally:
        process.terminate()
        process.wait(30)
    assert not folder_of(process.pid).exists()


def is_ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/api/v1/health/ready", timeout=5).ok
    except requests.ConnectionError:
        return False


def counted(url: str) -> float:
    lines = requests.get(f"{url}/metrics", timeout=5).text.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("askonce_requests_total{"))


def test_every_process_of_an_api_speaks_for_all(api: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: requests.post(f"{api}/api/v1/predict", json={}, timeout=10), range(40)))
    eventually(lambda: [counted(api) for _ in range(10)] == [40.0] * 10, 10)
