"""AskOnce as `docker compose --profile simulator up` runs it, under a project name of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import requests

from local.ports import free_port
from tests.stack import System

ROOT = Path(__file__).parents[2]
FILES = ("docker-compose.yml", "tests/containers/compose.yml")
PROJECT = "askonce-test"
SIMULATOR_INSIDE = "http://simulator:9000"
UNTOUCHED = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "XDG_RUNTIME_DIR")


def new_ports() -> dict[str, str]:
    names = (
        *("PORT", "FLOWER_PORT", "TEST_SIMULATOR_PORT", "TEST_MEMCACHED_PORT", "TEST_POSTGRES_PORT"),
        *("TEST_REDIS_CACHE_PORT", "GRAFANA_PORT"),
    )
    return {name: str(free_port()) for name in names}


@dataclass(frozen=True)
class Containers(System):
    """The containers of one compose project. The variables that compose fills in are given, not inherited."""

    ports: dict[str, str] = field(default_factory=new_ports)
    variables: dict[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = FILES
    profiles: tuple[str, ...] = ("simulator",)

    def compose(self, *arguments: str) -> str:
        """Run `docker compose`; return what it writes, and fail with it when it fails."""
        files = [part for file in self.files for part in ("--file", file)]
        profiles = [part for profile in self.profiles for part in ("--profile", profile)]
        command = ["docker", "compose", "--project-name", PROJECT, "--env-file", "/dev/null", *profiles]
        return _run([*command, *files, *arguments], {**self.ports, **self.variables})

    def up(self, **scale: int) -> None:
        """Bring everything up, healthy; `worker_text=2` for two of them, one of each otherwise."""
        sizes = [part for name, count in scale.items() for part in ("--scale", f"{name.replace('_', '-')}={count}")]
        self.compose("up", "--detach", "--wait", "--wait-timeout", "180", *sizes)

    def down(self) -> None:
        """Remove containers, networks and volumes, of all profiles."""
        replace(self, profiles=("*",)).compose("down", "--volumes", "--remove-orphans", "--timeout", "1")

    def ids(self, service: str) -> list[str]:
        """Return the ids of a service's running containers."""
        return self.compose("ps", "--quiet", service).split()

    def kill(self, container: str) -> None:
        """End a container without warning; it does not come back by itself."""
        _run(["docker", "kill", container], {})

    def inspect(self, container: str) -> dict[str, Any]:
        """Return what the engine knows of a container."""
        (found,) = json.loads(_run(["docker", "inspect", container], {}))
        return dict(found)

    def read(self, service: str, file: str) -> str:
        """Return a file's text as the service sees it."""
        return self.compose("exec", "--no-TTY", service, "cat", file)

    @cached_property
    def environment(self) -> dict[str, str]:
        """The addresses of everything, for the test process."""
        password = self.read("postgres", "/run/askonce/postgres/password")
        port = self.ports
        return {
            "PORT": port["PORT"],
            "API_URL": f"http://127.0.0.1:{port['PORT']}",
            "FLOWER_URL": f"http://127.0.0.1:{port['FLOWER_PORT']}",
            "SIMULATOR_URL": f"http://127.0.0.1:{port['TEST_SIMULATOR_PORT']}",
            "REDIS_CACHE_URL": f"redis://127.0.0.1:{port['TEST_REDIS_CACHE_PORT']}/0",
            "MEMCACHED_SERVERS": f"127.0.0.1:{port['TEST_MEMCACHED_PORT']}",
            "DATABASE_URL": f"postgresql://askonce:{password}@127.0.0.1:{port['TEST_POSTGRES_PORT']}/askonce",
        }

    def predict(self, body: dict[str, Any] | None = None, **kwargs: Any) -> requests.Response:
        """POST a request; pictures of the simulator are named as the workers see them."""
        if body and "input" in body:
            outside = self.environment["SIMULATOR_URL"]
            body = {**body, "input": body["input"].replace(outside, SIMULATOR_INSIDE)}
        return super().predict(body, **kwargs)


def _run(command: list[str], variables: dict[str, str]) -> str:
    environment = {name: os.environ[name] for name in UNTOUCHED if name in os.environ}
    ended = subprocess.run(
        command, cwd=ROOT, env={**environment, **variables}, capture_output=True, text=True, check=False
    )
    if ended.returncode:
        sys.stderr.write(ended.stdout + ended.stderr)
    ended.check_returncode()
    return ended.stdout
