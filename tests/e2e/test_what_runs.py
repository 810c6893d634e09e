import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from celeryconfig import QUEUE_NAMES
from local.status import as_json, records
from shared.jobs.queue import RUN_JOB
from tests.stack import PROGRAMS, Stack, eventually, processes_naming, start_stack, stop_stack

HOST = socket.gethostname()


def test_flower_shows_a_worker_for_every_queue(stack: Stack) -> None:
    url = f"{stack.environment['FLOWER_URL']}/workers?json=1"

    def shown() -> set[str]:
        workers = requests.get(url, timeout=10).json()["data"]
        return {worker["hostname"] for worker in workers if worker["status"]}

    # The machine's name tells containers apart.
    eventually(lambda: {name.rpartition("-")[0] for name in shown()} >= {f"{queue}@{HOST}" for queue in QUEUE_NAMES})


def test_flower_never_shows_a_payload(stack: Stack) -> None:
    stack.predict({"task_type": "sentiment", "input": "a very private matter"}, headers={"Prefer": "wait=30"})
    tasks = requests.get(f"{stack.environment['FLOWER_URL']}/tasks", timeout=10).text
    assert "private" not in tasks


@pytest.mark.parametrize("path", ["/workers?json=1", "/tasks", "/broker", "/metrics", "/healthcheck"])
def test_flower_without_a_password_goes_by_names_of_this_machine_only(stack: Stack, path: str) -> None:
    """Otherwise a page whose name leads here could read it with the user's browser."""
    url = f"{stack.environment['FLOWER_URL']}{path}"
    statuses = {
        host: requests.get(url, headers={"Host": host}, timeout=10).status_code
        for host in ("localhost:5555", "127.0.0.1", "[::1]:5555", "evil.example", "evil.example:5555", "127.0.0.1.evil")
    }
    assert list(statuses.values()) == [200, 200, 200, 421, 421, 421]


@pytest.mark.parametrize(
    "call",
    [
        "worker/shutdown/{}",
        "worker/pool/shrink/{}?n=15",
        "worker/queue/cancel-consumer/{}?queue=text",
        "task/revoke/{}",
    ],
)
def test_flower_without_a_password_controls_nothing(stack: Stack, call: str) -> None:
    url = stack.environment["FLOWER_URL"]
    for worker in requests.get(f"{url}/workers?json=1", timeout=10).json()["data"]:
        path = call.format(worker["hostname"])
        assert requests.post(f"{url}/api/{path}", timeout=10).status_code == 401
    assert set(stack.states().values()) == {"running"}


def test_flower_without_a_password_sends_no_task(stack: Stack) -> None:
    for way in ("apply", "async-apply", "send-task"):
        url = f"{stack.environment['FLOWER_URL']}/api/task/{way}/{RUN_JOB}"
        assert requests.post(url, json={"args": ["x"]}, timeout=10).status_code == 401


def test_a_page_of_another_site_changes_nothing(stack: Stack) -> None:
    body = {"task_type": "sentiment", "input": "sent by a foreign page"}
    refused = stack.predict(body, headers={"Origin": "https://evil.example"})
    assert (refused.status_code, refused.json()["code"]) == (403, "origin_not_allowed")
    assert stack.predict(body, headers={"Origin": stack.environment["API_URL"]}).ok


def test_the_docs_page_asks_no_other_host_for_anything(stack: Stack) -> None:
    page = requests.get(stack.url("/docs"), timeout=10).text
    assets = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert assets
    assert all(asset.startswith("/docs/assets/") for asset in assets)
    assert {requests.get(stack.url(asset), timeout=10).status_code for asset in assets} == {200}


def test_the_status_names_every_process_and_its_state(stack: Stack) -> None:
    found = {record["name"]: record for record in as_json(records(stack.root, {}))}
    assert set(found) == {"postgres", "valkey", "memcached", *PROGRAMS}
    assert {record["state"] for record in found.values()} == {"running"}
    assert set(found["api"]) == {"name", "pid", "address", "log", "state"}


BODY = {"task_type": "sentiment", "input": "remember me"}


@dataclass(frozen=True)
class Stopped:
    """What a stack that was told to stop has left: its folder, a job, processes, and the log of each program."""

    root: Path
    job_id: str
    processes: list[str]
    logs: dict[str, str]


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Stopped:
    root = tmp_path_factory.mktemp("stopped")
    stack = start_stack(root, {"LOG_FORMAT": "json"})
    try:
        job_id = stack.predict(BODY, headers={"Prefer": "wait=30"}).json()["job_id"]
    finally:
        stop_stack(stack)
    logs = {name: (root / ".askonce" / "logs" / f"{name}.log").read_text() for name in ("migrate", *PROGRAMS)}
    return Stopped(root, job_id, processes_naming(root), logs)


@pytest.fixture(scope="module")
def started_again(stopped: Stopped) -> Iterator[Stack]:
    stack = start_stack(stopped.root)
    yield stack
    stop_stack(stack)


def test_sigterm_leaves_no_process(stopped: Stopped) -> None:
    assert stopped.processes == []


def test_data_survives_until_the_next_start(stopped: Stopped, started_again: Stack) -> None:
    assert started_again.job(stopped.job_id)["status"] == "completed"
    assert started_again.predict(BODY).json()["cache"]["tier"] == "redis"


def test_every_line_that_our_processes_log_in_json_is_json(stopped: Stopped) -> None:
    messages = {
        name: [json.loads(line)["message"] for line in text.splitlines()] for name, text in stopped.logs.items()
    }
    assert (messages["api"][0], messages["api"][-1]) == ("API starts", "API has ended")
    assert (messages["beat"][0], messages["beat"][-1]) == ("Beat starts", "Beat has ended")
    assert (messages["flower"][0], messages["flower"][-1]) == ("Flower starts", "Flower has ended")
    assert (messages["worker-text"][0], messages["worker-text"][-1]) == ("Worker starts", "Worker has ended")


def test_after_a_sigkill_of_the_supervisor_no_process_is_left(started_again: Stack) -> None:
    pids = [started_again.pid(name) for name in ("postgres", "valkey", "memcached", *PROGRAMS)]
    started_again.supervisor.send_signal(signal.SIGKILL)
    started_again.supervisor.wait()
    eventually(lambda: not any(Path(f"/proc/{pid}/exe").exists() for pid in pids))


def test_the_worker_names_a_wrong_setting_and_does_not_start() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "workers", "text"],
        env={"L1_TTL_SECONDS": "soon"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "L1_TTL_SECONDS" in done.stderr
