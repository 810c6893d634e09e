"""Metrics of several processes: real ones, each with its own numbers."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from api.metrics_board import MetricsBoard, file_name, folder_of
from local.child_environment import child_environment
from local.ports import free_port
from tests.installation import Installation
from tests.integration.eventually import eventually

OWN = b"""\
# TYPE n_total counter
n_total 1.0
# TYPE g gauge
g 1.0
# TYPE askonce_cache_server_down gauge
askonce_cache_server_down 1.0
"""


@pytest.fixture
def ended() -> str:
    """The name of the file of a process that has ended."""
    with subprocess.Popen(["sleep", "60"]) as process:
        name = file_name(process.pid)
        process.kill()
    return name


PARENT = file_name(os.getppid())


def board(folder: Path, *others: str) -> MetricsBoard:
    """Return the board of this process, with what other ones have left there."""
    for other in others:
        (folder / other).write_bytes(OWN)
    return MetricsBoard(folder, lambda: OWN)


def values(board: MetricsBoard) -> dict[str, float]:
    lines = (line.rsplit(" ", 1) for line in board.render().decode().splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}


@pytest.fixture
def start() -> Iterator[Callable[[MetricsBoard], None]]:
    with ExitStack() as stack:

        def started(mine: MetricsBoard) -> None:
            stack.callback(mine.close)
            mine.start()

        yield started


Start = Callable[[MetricsBoard], None]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.metrics_board.WRITE_SECONDS", 0.01)
    monkeypatch.setattr("shared.background.RETRY_SECONDS", 0.01)


def test_counts_are_added_and_a_state_is_true_when_one_says_so(tmp_path: Path) -> None:
    found = values(board(tmp_path, PARENT))
    assert found == {"n_total": 2.0, "g": 2.0, "askonce_cache_server_down": 1.0}


def test_what_a_dead_process_counted_stays_and_what_it_held_goes(tmp_path: Path, ended: str) -> None:
    assert values(board(tmp_path, ended)) == {"n_total": 2.0, "g": 1.0, "askonce_cache_server_down": 1.0}


def test_a_process_that_has_the_id_of_a_dead_one_is_another(tmp_path: Path) -> None:
    namesake = f"{os.getppid()}-1.prom"
    assert values(board(tmp_path, namesake)) == {"n_total": 2.0, "g": 1.0, "askonce_cache_server_down": 1.0}


def test_the_files_of_the_dead_become_one(tmp_path: Path, ended: str, start: Start) -> None:
    for round_ in range(2):
        mine = board(tmp_path, *(f"{number}{round_}{ended}" for number in range(1, 9)))
        start(mine)
        assert {file.name for file in tmp_path.glob("*.prom")} == {"ended.prom", file_name(os.getpid())}
    assert values(mine) == {"n_total": 17.0, "g": 1.0, "askonce_cache_server_down": 1.0}


def test_the_living_are_left_alone(tmp_path: Path, ended: str, start: Start) -> None:
    mine = board(tmp_path, PARENT, ended)
    start(mine)
    assert (tmp_path / PARENT).read_bytes() == OWN
    assert values(mine) == {"n_total": 3.0, "g": 2.0, "askonce_cache_server_down": 1.0}


def test_a_file_that_was_taken_over_but_not_yet_removed_counts_once(tmp_path: Path, ended: str, start: Start) -> None:
    start(board(tmp_path, ended))
    again = board(tmp_path, ended)
    assert values(again)["n_total"] == 2.0
    start(again)
    assert values(again)["n_total"] == 2.0


def test_a_file_that_goes_while_it_is_read_is_looked_for_where_it_went(
    tmp_path: Path, ended: str, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, other = board(tmp_path, ended), MetricsBoard(tmp_path, lambda: OWN)
    read = mine._read_ended  # noqa: SLF001  after the files were listed, before they are read

    def meanwhile() -> Any:
        found = read()
        start(other)
        return found

    monkeypatch.setattr(mine, "_read_ended", meanwhile)
    assert values(mine)["n_total"] == 2.0


def test_the_last_numbers_of_a_process_stay(tmp_path: Path) -> None:
    board(tmp_path).close()
    assert (tmp_path / file_name(os.getpid())).read_bytes() == OWN


def test_a_board_is_closed_to_other_users(tmp_path: Path) -> None:
    MetricsBoard(tmp_path / "board", lambda: OWN).write()
    assert (tmp_path / "board").stat().st_mode & 0o777 == 0o700


def test_no_thread_is_left_once_it_is_closed(tmp_path: Path) -> None:
    mine = board(tmp_path)
    mine.start()
    mine.close()
    assert not mine.loop.is_running


def test_a_folder_that_can_not_be_written_fails_visibly_and_heals(tmp_path: Path, start: Start) -> None:
    folder = tmp_path / "board"
    folder.write_text("in the way")
    mine = MetricsBoard(folder, lambda: OWN)
    start(mine)
    eventually(lambda: mine.loop.state.last_error == "FileExistsError")
    assert values(mine)["n_total"] == 1.0
    folder.unlink()
    eventually(lambda: not mine.loop.state.is_failing)
    assert (folder / file_name(os.getpid())).read_bytes() == OWN


def test_a_folder_that_is_swept_away_is_made_again(tmp_path: Path, start: Start) -> None:
    mine = MetricsBoard(tmp_path / "board", lambda: OWN)
    start(mine)
    shutil.rmtree(tmp_path / "board", ignore_errors=True)
    eventually((tmp_path / "board" / file_name(os.getpid())).exists)


def test_a_file_that_makes_no_sense_spoils_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    mine = board(tmp_path, PARENT)
    (tmp_path / PARENT).write_bytes(b"n_total many")
    assert values(mine)["n_total"] == 1.0
    assert [record.message for record in caplog.records] == ["The metrics of other processes can't be read"]


def test_closing_does_not_fail_without_a_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "board").write_text("in the way")
    MetricsBoard(tmp_path / "board", lambda: OWN).close()
    assert [record.message for record in caplog.records] == ["Metrics are not shared"]


@pytest.fixture
def api(installation: Installation) -> Iterator[str]:
    """An API of two processes; its address."""
    port = free_port()
    variables = {**installation.environment, "PORT": str(port), "API_PROCESSES": "2", "API_THREADS": "4"}
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
    except (requests.ConnectionError, requests.Timeout):
        return False


def counted(url: str) -> float:
    lines = requests.get(f"{url}/metrics", timeout=5).text.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("askonce_requests_total{"))


def test_every_process_of_an_api_speaks_for_all(api: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: requests.post(f"{api}/api/v1/predict", json={}, timeout=10), range(40)))
    eventually(lambda: [counted(api) for _ in range(10)] == [40.0] * 10, 10)
