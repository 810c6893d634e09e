from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from stack_runner import StackRunner

from local.servers.memcached import MemcachedServer
from local.servers.postgres import Postgres
from local.servers.valkey import Valkey
from local.supervisor.base import Service


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Postgres]:
    server = Postgres(tmp_path / "postgres", durable=False)
    yield server
    server.stop()


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[Valkey]:
    server = Valkey(tmp_path / "valkey")
    yield server
    server.stop()


@pytest.fixture(
    params=[partial(Postgres, durable=False), Valkey, MemcachedServer], ids=["postgres", "valkey", "memcached"]
)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    server: Service = request.param(tmp_path / "server")
    yield server
    server.stop()


@pytest.fixture
def start_stack(tmp_path: Path) -> Iterator[Callable[..., StackRunner]]:
    runners: list[StackRunner] = []

    def start(**programs: str) -> StackRunner:
        runners.append(StackRunner(tmp_path, **programs))
        return runners[-1]

    yield start
    for runner in runners:
        runner.close()
