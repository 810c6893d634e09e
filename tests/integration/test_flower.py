import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests

from local.child_environment import child_environment
from local.ports import free_port
from tests.integration.eventually import eventually

COMMAND = (sys.executable, "-m", "workers", "flower")


@pytest.fixture
def flower(environment: dict[str, str]) -> Iterator[str]:
    """Flower with a password; its address."""
    port = free_port()
    variables = {**environment, "FLOWER_PORT": str(port), "FLOWER_BASIC_AUTH": "name:hunter2"}
    with subprocess.Popen(COMMAND, env=child_environment(variables)) as process:
        yield f"http://127.0.0.1:{port}"
        process.terminate()


def status(url: str, auth: tuple[str, str] | None = None) -> int:
    try:
        return requests.get(url, auth=auth, timeout=10).status_code
    except requests.ConnectionError:
        return 0


def test_flower_asks_for_its_password_on_every_page_that_shows_something(flower: str) -> None:
    eventually(lambda: status(f"{flower}/healthcheck") == 200, 30)
    pages = ("/", "/workers", "/tasks", "/broker", "/metrics", "/api/workers")
    assert {page: status(f"{flower}{page}") for page in pages} == dict.fromkeys(pages, 401)
    assert status(f"{flower}/metrics", ("name", "wrong")) == 401
    assert status(f"{flower}/metrics", ("name", "hunter2")) == 200


def test_flower_does_not_open_to_the_network_without_a_password(environment: dict[str, str]) -> None:
    variables = {**os.environ, **environment, "FLOWER_ADDRESS": "0.0.0.0", "FLOWER_BASIC_AUTH": ""}  # noqa: S104
    ended = subprocess.run(COMMAND, env=variables, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("FLOWER_BASIC_AUTH: ")
