"""The parts of a test's installation by their names, and servers of a test's own to stop and freeze."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import TypeVar

import pytest

from api.bootstrap import ApiServices
from api.jobs.store import JobStore
from local.servers.memcached import MemcachedServer
from local.servers.valkey import Valkey
from local.supervisor.base import Service
from shared.config import Settings
from shared.domain.request import Request
from shared.jobs.job import Job
from tests.installation import Installation
from tests.integration.api_client import Api
from tests.integration.command_counts import commands_counted
from tests.integration.fake_provider import FakeProvider
from tests.integration.overheard import Heard
from tests.servers import Servers
from workers.bootstrap import WorkerServices
from workers.jobs.claims import Claims
from workers.jobs.content_locks import ContentLocks
from workers.maintenance.sweeps import Sweeps

S = TypeVar("S", bound=Service)


@pytest.fixture
def commands(servers: Servers) -> Iterator[Callable[[], Counter[str]]]:
    """Count the commands that memcached and Valkey have got so far."""
    with commands_counted(servers) as counted:
        yield counted


@pytest.fixture
def patient_tiers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the fast path wait longer for a reply: while other tests use all cores, one may be slow."""
    for tier in ("memcached", "redis"):
        monkeypatch.setattr(f"api.tiers.{tier}.TIMEOUT_SECONDS", 30)


@pytest.fixture
def open_services(installation: Installation) -> Callable[[Settings], ApiServices]:
    return installation.open_services


@pytest.fixture
def services(installation: Installation) -> ApiServices:
    return installation.services


@pytest.fixture
def open_worker(installation: Installation) -> Callable[[Settings, FakeProvider], WorkerServices]:
    return installation.open_worker


@pytest.fixture
def provider(installation: Installation) -> FakeProvider:
    return installation.provider


@pytest.fixture
def worker(installation: Installation) -> WorkerServices:
    return installation.worker


@pytest.fixture
def open_api(installation: Installation) -> Callable[[Settings], Api]:
    return installation.open_api


@pytest.fixture
def api(installation: Installation) -> Api:
    return installation.api


@pytest.fixture
def heard(installation: Installation) -> Heard:
    return installation.heard


@pytest.fixture
def jobs(installation: Installation) -> JobStore:
    return installation.jobs


@pytest.fixture
def claims(installation: Installation) -> Claims:
    return installation.claims


@pytest.fixture
def locks(installation: Installation) -> ContentLocks:
    return installation.locks


@pytest.fixture
def sweeps(installation: Installation) -> Sweeps:
    return installation.sweeps


@pytest.fixture
def new_job(installation: Installation) -> Callable[[], Job]:
    return installation.new_job


@pytest.fixture
def claimed(installation: Installation) -> Callable[[], Job]:
    return installation.claimed


@pytest.fixture
def request_(installation: Installation) -> Request:
    return installation.request


@pytest.fixture
def job(installation: Installation) -> Job:
    return installation.job


@contextmanager
def started(server: S) -> Iterator[S]:
    """Start a server for one test alone."""
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Callable[[type[Service]], Service]]:
    """Start a server for this test alone."""
    with ExitStack() as stack:
        directories = (tmp_path / f"server-{number}" for number in count())
        yield lambda kind: stack.enter_context(started(kind(next(directories))))  # type: ignore[call-arg]  # theirs


@pytest.fixture
def own_valkey(tmp_path: Path) -> Iterator[Valkey]:
    with started(Valkey(tmp_path / "valkey")) as server:
        yield server


@pytest.fixture
def own_memcached(tmp_path: Path) -> Iterator[MemcachedServer]:
    with started(MemcachedServer(tmp_path / "memcached")) as server:
        yield server
