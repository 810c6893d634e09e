"""Applications on the session's real servers, and servers of a test's own to stop and freeze."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from api.bootstrap import ApiServices, build_api
from api.jobs.insertion import Terms
from api.jobs.store import JobStore
from local.servers.memcached import MemcachedServer
from local.servers.valkey import Valkey
from local.supervisor.base import Service
from shared.config import Settings, load_settings
from shared.db.engine import Database
from shared.domain.prices import Price, Prices
from shared.domain.request import Request
from shared.jobs.job import Job
from tests.integration.api_client import Api
from tests.integration.asking import accepted, ask, job_store
from tests.integration.fake_provider import FakeProvider
from tests.integration.running import jobs_of
from workers.bootstrap import WorkerServices, build_worker
from workers.jobs.claims import Claims
from workers.jobs.content_locks import ContentLocks
from workers.jobs.outage_retry import OutageRetry
from workers.maintenance.sweeps import Sweeps

THREADS = 8
DEADLINE_SECONDS = 3600
REPUBLISH_SECONDS = 15
LEASE_SECONDS = 30
PRICES = Prices({"openai/gpt-oss-20b": Price(Decimal("0.5"), Decimal(2), cached=Decimal("0.25"))})


@pytest.fixture
def configure(environment: dict[str, str]) -> Callable[..., Settings]:
    """Settings with some variables changed."""
    return lambda **variables: load_settings({**environment, **variables})


@pytest.fixture
def open_services(environment: dict[str, str]) -> Iterator[Callable[[Settings], ApiServices]]:
    """Build what an API process has; purges are known, nothing runs in the background."""
    del environment  # only that it outlives what is built here
    with ExitStack() as stack:

        def build(settings: Settings) -> ApiServices:
            services = build_api(settings)
            stack.callback(services.close)
            services.cache.purge_marks.refresh()
            return services

        yield build


@pytest.fixture
def services(open_services: Callable[[Settings], ApiServices], settings: Settings) -> ApiServices:
    return open_services(settings)


@pytest.fixture
def open_worker(environment: dict[str, str]) -> Iterator[Callable[[Settings, FakeProvider], WorkerServices]]:
    """Build what a worker process has, with a fake provider and without Celery's machinery."""
    del environment  # only that it outlives what is built here
    with ExitStack() as stack:

        def build(settings: Settings, provider: FakeProvider) -> WorkerServices:
            worker = build_worker(settings)
            worker.providers.close()
            worker = replace(worker, providers=provider)  # type: ignore[arg-type]  # of the same shape
            stack.callback(worker.close)
            return worker

        yield build


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider()


@pytest.fixture
def worker(
    open_worker: Callable[[Settings, FakeProvider], WorkerServices], settings: Settings, provider: FakeProvider
) -> WorkerServices:
    return open_worker(settings, provider)


@pytest.fixture
def open_api(
    open_services: Callable[[Settings], ApiServices], open_worker: Callable[[Settings, FakeProvider], WorkerServices]
) -> Callable[[Settings], Api]:
    """Build an API and a worker on the same servers."""

    def build(settings: Settings) -> Api:
        provider = FakeProvider()
        return Api(open_services(settings), open_worker(settings, provider), provider)

    return build


@pytest.fixture
def api(open_api: Callable[[Settings], Api], settings: Settings) -> Api:
    return open_api(settings)


@pytest.fixture
def jobs(database: Database) -> JobStore:
    return job_store(database, Terms(DEADLINE_SECONDS, REPUBLISH_SECONDS))


@pytest.fixture
def claims(database: Database) -> Claims:
    return Claims(database, LEASE_SECONDS, PRICES, OutageRetry(0))


@pytest.fixture
def locks(database: Database) -> ContentLocks:
    return ContentLocks(database, OutageRetry(0))


@pytest.fixture
def sweeps(database: Database) -> Sweeps:
    return Sweeps(database, REPUBLISH_SECONDS)


@pytest.fixture
def new_job(jobs: JobStore, settings: Settings) -> Callable[[], Job]:
    return lambda: accepted(jobs, ask(settings))


@pytest.fixture
def claimed(claims: Claims, new_job: Callable[[], Job]) -> Callable[[], Job]:
    def make() -> Job:
        job = claims.claim(new_job().id)
        assert job is not None
        return job

    return make


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Callable[[type[Service]], Service]]:
    """Start a server for this test alone."""
    with ExitStack() as stack:
        count = iter(range(100))

        def start(kind: type[Service]) -> Service:
            server = kind(tmp_path / f"server-{next(count)}")  # type: ignore[call-arg]  # each takes its directory
            stack.callback(server.kill)
            server.start()
            return server

        yield start


@pytest.fixture
def own_valkey(own: Callable[[type[Valkey]], Valkey]) -> Valkey:
    return own(Valkey)


@pytest.fixture
def own_memcached(own: Callable[[type[MemcachedServer]], MemcachedServer]) -> MemcachedServer:
    return own(MemcachedServer)


@pytest.fixture
def request_(settings: Settings) -> Request:
    return ask(settings)


@pytest.fixture
def job(worker: WorkerServices, request_: Request) -> Job:
    return accepted(jobs_of(worker), request_)
