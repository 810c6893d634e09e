"""Flower, real workers and a real broker: what Flower shows is what happened."""

import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import pytest
import requests
from flower import options as _  # noqa: F401  declares Flower's options, before what reads them
from flower.urls import handlers
from tornado.web import RequestHandler

from api.bootstrap import ApiServices
from local.child_environment import child_environment
from local.ports import free_port
from shared.config import Settings
from shared.domain.request import TextInput
from shared.errors import ConfigurationError
from shared.jobs.job import Job
from shared.jobs.queue import make_celery
from tests.installation import Installation, installed
from tests.integration.asking import accepted, ask, new_text, write
from tests.integration.eventually import eventually
from workers.process.flower import run_monitor

COMMAND = (sys.executable, "-m", "workers", "flower")
SECONDS = 60.0
CONTROLS = sorted(
    each[0].replace("(.+)", "x")
    for each in handlers
    if isinstance(each, tuple) and each[0].startswith("/api/") and each[1].post is not RequestHandler.post
)
"""Everything of Flower's that changes something: workers, their pools and queues, and tasks."""


class Flower:
    """Flower with a password, a simulator, the workers that a test starts, and what a client sees of them."""

    def __init__(self, environment: dict[str, str], processes: ExitStack) -> None:
        port = free_port()
        self.environment = {"FLOWER_BASIC_AUTH": "name:hunter2", **environment, "FLOWER_PORT": str(port)}
        self.url = f"http://127.0.0.1:{port}"
        self._processes = processes
        self.run("workers", "flower")

    def run(self, module: str, *arguments: str) -> "subprocess.Popen[str]":
        """Run a module until the end of the test."""
        command = [sys.executable, "-m", module, *arguments]
        process = self._processes.enter_context(
            subprocess.Popen(command, env=child_environment(self.environment), stdout=subprocess.PIPE, text=True)
        )
        self._processes.callback(process.kill)
        return process

    def simulate(self) -> None:
        """Start the simulator; workers that are started from now on ask it."""
        process = self.run("simulator", "--port", "0")
        assert process.stdout is not None
        self.environment["SIMULATOR_URL"] = process.stdout.readline().split()[-1]

    def get(self, path: str) -> Any:
        return requests.get(f"{self.url}{path}", auth=("name", "hunter2"), timeout=10).json()

    def jobs(self) -> dict[str, dict[str, Any]]:
        """Return the rows that Flower shows, by their id."""
        found: dict[str, dict[str, Any]] = self.get("/api/tasks")
        return found

    def online(self) -> list[str]:
        """Return the names of the workers that Flower shows as online."""
        return sorted(worker["hostname"] for worker in self.get("/workers?json=1")["data"] if worker["status"])

    def shows(self, job: Job, state: str, error: str | None = None) -> None:
        """Wait until the row of a job has this state and error."""

        def shown() -> bool:
            row = self.jobs().get(str(job.id), {})
            return (row.get("state"), row.get("exception")) == (state, error)

        eventually(shown, SECONDS)

    def has_taken(self, messages: int) -> None:
        """Wait until workers have said that they took as many messages."""
        pattern = re.compile(rb"^askonce_worker_messages_taken{.*} ([0-9.]+)$", re.MULTILINE)

        def taken() -> bool:
            page = requests.get(f"{self.url}/metrics", auth=("name", "hunter2"), timeout=10).content
            return sum(float(count) for count in pattern.findall(page)) >= messages

        eventually(taken, SECONDS)


@contextmanager
def opened(environment: dict[str, str]) -> Iterator[Flower]:
    with ExitStack() as processes:
        flower = Flower(environment, processes)
        eventually(lambda: status(f"{flower.url}/healthcheck") == 200, SECONDS)
        yield flower


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flower]:
    """Flower, its password in a file, in an environment that opens others: for tests that start no worker."""
    password = tmp_path_factory.mktemp("secrets") / "basic-auth"
    password.write_text("name:hunter2")
    opening = {
        "FLOWER_BASIC_AUTH_FILE": str(password),
        "FLOWER_BASIC_AUTH": "",
        "FLOWER_UNAUTHENTICATED_API": "true",
        "FLOWER_URL_PREFIX": "elsewhere",
    }
    with installed(Installation) as installation, opened({**installation.environment, **opening}) as flower:
        yield flower


@pytest.fixture
def flower(installation: Installation) -> Iterator[Flower]:
    with opened(installation.environment) as flower:
        yield flower


@pytest.fixture
def text_worker(installation: Installation) -> Iterator[Flower]:
    """Flower that may control workers, with a simulator and a worker for texts."""
    with opened({**installation.environment, "FLOWER_READ_ONLY": "false"}) as flower:
        flower.simulate()
        flower.run("workers", "text")
        eventually(flower.online, SECONDS)
        yield flower


@pytest.fixture
def asked(installation: Installation) -> Callable[[str], Job]:
    """Make a job about a text and publish it."""
    services = installation.services

    def make(text: str) -> Job:
        job = accepted(services.jobs, ask(installation.settings, given=TextInput(text)))
        assert services.queue.publish(job.id, job.queue)
        return job

    return make


def status(url: str, auth: tuple[str, str] | None = None) -> int:
    try:
        return requests.get(url, auth=auth, timeout=10).status_code
    except requests.ConnectionError:
        return 0


def test_flower_asks_for_its_password_on_every_page_that_shows_something(closed: Flower) -> None:
    pages = ("/", "/workers", "/tasks", "/broker", "/metrics", "/api/workers")
    assert {page: status(f"{closed.url}{page}") for page in pages} == dict.fromkeys(pages, 401)
    assert status(f"{closed.url}/metrics", ("name", "wrong")) == 401
    assert status(f"{closed.url}/metrics", ("name", "hunter2")) == 200


@pytest.mark.parametrize("credentials", ["=", "====", "Og==", "bmFtZQ==", "bmFtZTo="])
def test_nobody_gets_into_flower_with_an_empty_password(closed: Flower, credentials: str) -> None:
    headers = {"Authorization": f"Basic {credentials}"}
    assert requests.get(f"{closed.url}/workers", headers=headers, timeout=10).status_code == 401


@pytest.mark.parametrize("path", CONTROLS)
def test_flower_controls_nothing_unless_asked(closed: Flower, path: str) -> None:
    assert requests.post(f"{closed.url}{path}", timeout=10).status_code == 401
    refused = requests.post(f"{closed.url}{path}", auth=("name", "hunter2"), timeout=10)
    assert (refused.status_code, refused.text) == (403, "Read only mode is enabled")


def test_all_that_controls_workers_is_known() -> None:
    known = {path.split("/")[-2] for path in CONTROLS}
    assert {"shutdown", "grow", "shrink", "add-consumer", "revoke", "apply", "async-apply", "send-task"} <= known


def test_no_other_page_may_show_flower_in_a_frame(closed: Flower) -> None:
    page = requests.get(f"{closed.url}/workers", auth=("name", "hunter2"), timeout=10)
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Frame-Options"] == "DENY"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert [name for name in page.headers if name.startswith("Access-Control")] == []


def test_flower_does_not_open_to_the_network_without_a_password(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="FLOWER_BASIC_AUTH"):
        run_monitor(replace(settings, flower_address="0.0.0.0", flower_basic_auth=()))  # noqa: S104


def test_flower_asks_about_workers_once_there_are_some_and_not_before(
    capfd: pytest.CaptureFixture[str], flower: Flower
) -> None:
    flower.run("workers", "maintenance")
    # What it asks arrives piece by piece.
    eventually(lambda: ["stats" in found for found in flower.get("/api/workers").values()] == [True], SECONDS)
    assert "Inspect method" not in capfd.readouterr().err


def test_workers_of_one_kind_on_one_host_are_told_apart(text_worker: Flower) -> None:
    text_worker.run("workers", "text")
    names = eventually(lambda: len(text_worker.online()) == 2 and text_worker.online(), SECONDS)
    assert isinstance(names, list)
    assert all(name.startswith(f"text@{socket.gethostname()}-") for name in names)


def test_a_worker_that_flower_may_stop_ends_and_is_not_shown_as_online(
    text_worker: Flower, asked: Callable[[str], Job]
) -> None:
    (first,) = text_worker.online()
    stopping = text_worker.run("workers", "text")
    eventually(lambda: len(text_worker.online()) == 2, SECONDS)
    text_worker.shows(asked(new_text()), "SUCCESS")
    (second,) = set(text_worker.online()) - {first}
    stop = f"{text_worker.url}/api/worker/shutdown/{second}"

    def told_to_stop() -> bool:
        # It controls the workers that have told about themselves when it asked last.
        text_worker.get("/api/workers?refresh=1")
        return requests.post(stop, auth=("name", "hunter2"), timeout=10).status_code == 200

    eventually(told_to_stop, SECONDS)
    stopping.wait(SECONDS)
    eventually(lambda: text_worker.online() == [first], SECONDS)


def test_a_job_that_its_worker_had_to_requeue_is_a_retry(flower: Flower, asked: Callable[[str], Job]) -> None:
    flower.simulate()
    latency = f"{flower.environment['SIMULATOR_URL']}/admin/latency"
    requests.put(latency, json={"seconds": 60}, timeout=10).raise_for_status()
    flower.environment["SHUTDOWN_GRACE_SECONDS"] = "0.1"
    worker = flower.run("workers", "text")
    job = asked(new_text())
    flower.shows(job, "STARTED")
    worker.terminate()
    flower.shows(job, "RETRY", "worker_stopped")
    eventually(lambda: flower.online() == [], SECONDS)


def test_maintenance_is_online_and_shows_only_the_jobs_that_it_had_to_fail(
    flower: Flower, services: ApiServices, settings: Settings
) -> None:
    flower.run("workers", "maintenance")
    eventually(flower.online, SECONDS)
    job = accepted(services.jobs, ask(settings))
    write(services.database, "UPDATE jobs SET deadline_at = now() - interval '1 second'")
    app = make_celery(settings.celery_broker_url)
    for task in ("sweep_jobs", "fold_statistics", "drain_overflow", "prune"):
        app.send_task(f"askonce.{task}", queue="maintenance")
    flower.shows(job, "FAILURE", "deadline_exceeded")
    flower.has_taken(4)
    assert set(flower.jobs()) == {str(job.id)}
