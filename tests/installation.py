"""One AskOnce for one test: its settings, database, API and worker, on the servers of the session."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from decimal import Decimal
from functools import cached_property
from typing import TypeVar

from api.bootstrap import ApiServices, build_api
from api.jobs.insertion import Terms
from api.jobs.store import JobStore
from shared.config import Settings, load_settings
from shared.db.engine import Database
from shared.domain.prices import Price, Prices
from shared.domain.request import Request
from shared.errors import DatabaseUnavailable
from shared.jobs.job import Job
from shared.redis import connect
from shared.request_log.overflow import RequestOverflow
from tests.integration.api_client import Api
from tests.integration.apps import lent_app
from tests.integration.asking import accepted, ask, job_store
from tests.integration.eventually import eventually
from tests.integration.fake_provider import FakeProvider
from tests.integration.overheard import Heard, overheard
from tests.integration.running import jobs_of
from tests.servers import session_servers
from workers.bootstrap import WorkerServices, build_worker
from workers.jobs.claims import Claims
from workers.jobs.content_locks import ContentLocks
from workers.jobs.outage_retry import OutageRetry
from workers.maintenance.sweeps import Sweeps

DEADLINE_SECONDS = 3600
REPUBLISH_SECONDS = 15
LEASE_SECONDS = 30
TRANSACTION_SECONDS = 20.0
"""More than in use: while other tests use all cores, PostgreSQL may be slow and is not away."""
PRICES = Prices({"openai/gpt-oss-20b": Price(Decimal("0.5"), Decimal(2), cached=Decimal("0.25"))})


class Installation:
    """Each part is built when a test or a fixture first asks for it, and closed at the end of the test.

    A file whose tests need other parts assigns them in a fixture that they all use, or overrides `installation`.
    """

    def __init__(self, environment: dict[str, str], at_the_end: ExitStack) -> None:
        self.environment = environment
        self.at_the_end = at_the_end

    def configure(self, **variables: str) -> Settings:
        """Return settings with some variables changed."""
        return load_settings({**self.environment, **variables})

    @cached_property
    def settings(self) -> Settings:
        return self.configure()

    def open_database(self, url: str, pool_size: int) -> Database:
        database = Database(url, pool_size, TRANSACTION_SECONDS)
        self.at_the_end.callback(database.close)
        return database

    @cached_property
    def database(self) -> Database:
        return self.open_database(self.settings.database_url, 10)

    @cached_property
    def heard(self) -> Heard:
        """A line to PostgreSQL on which all is heard that clients send."""
        return self.at_the_end.enter_context(overheard(self.settings.database_url))

    @cached_property
    def overflow(self) -> RequestOverflow:
        overflow = RequestOverflow(connect(self.settings.redis_cache_url))
        self.at_the_end.callback(overflow.close)
        return overflow

    def open_services(self, settings: Settings) -> ApiServices:
        """Build what an API process has; purges are known, nothing runs in the background."""
        services = build_api(settings, TRANSACTION_SECONDS)
        self.at_the_end.callback(services.close)
        eventually(lambda: _knows_purges(services), seconds=30)
        return services

    @cached_property
    def services(self) -> ApiServices:
        return self.open_services(self.settings)

    @cached_property
    def provider(self) -> FakeProvider:
        return FakeProvider()

    def open_worker(self, settings: Settings, provider: FakeProvider) -> WorkerServices:
        """Build what a worker process has, with a fake provider and without Celery's machinery."""
        worker = build_worker(settings, TRANSACTION_SECONDS)
        worker.providers.close()
        worker = replace(worker, providers=provider)  # type: ignore[arg-type]  # of the same shape
        self.at_the_end.callback(worker.close)
        return worker

    @cached_property
    def worker(self) -> WorkerServices:
        return self.open_worker(self.settings, self.provider)

    def open_api(self, settings: Settings) -> Api:
        """Build an API and a worker on the same servers."""
        provider = FakeProvider()
        services, worker = self.open_services(settings), self.open_worker(settings, provider)
        return Api(services, worker, provider, self.at_the_end.enter_context(lent_app(services)))

    @cached_property
    def api(self) -> Api:
        return self.open_api(self.settings)

    @cached_property
    def jobs(self) -> JobStore:
        return job_store(self.database, Terms(DEADLINE_SECONDS, REPUBLISH_SECONDS))

    @cached_property
    def claims(self) -> Claims:
        return Claims(self.database, LEASE_SECONDS, PRICES, OutageRetry(0))

    @cached_property
    def locks(self) -> ContentLocks:
        return ContentLocks(self.database, OutageRetry(0))

    @cached_property
    def sweeps(self) -> Sweeps:
        return Sweeps(self.database, REPUBLISH_SECONDS)

    def new_job(self) -> Job:
        return accepted(self.jobs, ask(self.settings))

    def claimed(self) -> Job:
        """Make a job and claim it."""
        job = self.claims.claim(self.new_job().id)
        assert job is not None
        return job

    @cached_property
    def request(self) -> Request:
        return ask(self.settings)

    @cached_property
    def job(self) -> Job:
        """The job of `request`, as the worker finds it."""
        return accepted(jobs_of(self.worker), self.request)


AnInstallation = TypeVar("AnInstallation", bound=Installation)


@contextmanager
def installed(kind: type[AnInstallation]) -> Iterator[AnInstallation]:
    """Lend an empty database and empty caches to an installation."""
    with session_servers().lent() as environment, ExitStack() as at_the_end:
        yield kind(environment, at_the_end)


def _knows_purges(services: ApiServices) -> bool:
    """Return whether the purges could be read: a first connection is slow while other tests use all cores."""
    try:
        services.cache.purge_marks.refresh()
    except DatabaseUnavailable:
        return False
    return True
