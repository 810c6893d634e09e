"""The composition root of an API process: what it needs in addition to the shared services."""

import threading
from dataclasses import dataclass, fields

from api.access.access import Access
from api.access.administration import KeyAdministration
from api.access.known_keys import KnownKeys
from api.access.refreshing import KeyRefresh
from api.access.store import KeyStore
from api.audits.metrics import AuditMetrics
from api.audits.sampling import HitAudits
from api.background import Background
from api.jobs.idempotency import IdempotencyKeys
from api.jobs.insertion import Terms
from api.jobs.interest import Interest
from api.jobs.listener import Listener
from api.jobs.new_jobs import NewJobs
from api.jobs.publishing import Publishing
from api.jobs.queue_limits import QueueLimits
from api.jobs.store import JobStore
from api.jobs.waiters import Waiters
from api.limits.balances import Balances
from api.limits.rates import RequestRates
from api.limits.usage import UsageReader
from api.metrics import Metrics
from api.request_log.buffer import RequestLog
from api.request_log.reader import RequestReader
from api.request_log.refusals import RefusedCalls
from api.responses.store import ResponseStore
from api.statistics.store import StatisticsStore
from api.tracing import Tracing
from shared.bootstrap import Services, build_services
from shared.cache.purges import PurgeStore
from shared.config import Settings
from shared.db.engine import TRANSACTION_TIMEOUT_SECONDS
from shared.domain.catalogue import Catalogue
from shared.domain.completions import completion_models
from shared.domain.embeddings import embedding_models
from shared.domain.named_models import NamedModels
from shared.domain.offers import of_tasks
from shared.domain.request import ANONYMOUS
from shared.jobs.notifier import CLIENT_TIMEOUT_SECONDS
from shared.metrics.states import CacheServers
from shared.operation.operation import Operation
from shared.redis import connect


class Lifecycle:
    """Whether this process serves requests. Not yet at first, and no longer once it is stopping."""

    def __init__(self) -> None:
        self._serving = threading.Event()

    @property
    def serving(self) -> bool:
        """Whether requests should be sent to this process."""
        return self._serving.is_set()

    def started(self) -> None:
        """Note that everything runs."""
        self._serving.set()

    def stopping(self) -> None:
        """Note that no more requests should come."""
        self._serving.clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiServices(Services):
    """Everything that the views and the front use. `background` watches the threads of all of it.

    `catalogue`: what `predict` serves. `completions`: what chat completions may name. `embeddable`: what embeddings may
    name. `interest`: None where abandoned jobs go on. `hit_audits`: None where no hits are audited.
    """

    catalogue: Catalogue
    completions: NamedModels
    embeddable: NamedModels
    jobs: JobStore
    idempotency_keys: IdempotencyKeys
    responses: ResponseStore
    waiters: Waiters
    listener: Listener
    purges: PurgeStore
    request_log: RequestLog
    request_reader: RequestReader
    statistics: StatisticsStore
    metrics: Metrics
    background: Background
    lifecycle: Lifecycle
    access: Access
    keys: KeyAdministration
    key_refresh: KeyRefresh
    rates: RequestRates
    balances: Balances
    usage: UsageReader
    interest: Interest | None
    operation: Operation
    hit_audits: HitAudits | None
    tracing: Tracing

    def close(self) -> None:
        """Write what is buffered and close all connections."""
        self.lifecycle.stopping()
        self.waiters.release()
        self.listener.close()
        self.key_refresh.close()
        self.rates.close()
        if self.interest is not None:
            self.interest.close()
        if self.hit_audits is not None:
            self.hit_audits.close()
        self.request_log.close()
        self.metrics.close()
        self.operation.close()
        Services.close(self)


def build_api(settings: Settings, transaction_timeout: float = TRANSACTION_TIMEOUT_SECONDS) -> ApiServices:
    """Build the services of an API process. Connects to nothing yet and starts no thread.

    `transaction_timeout`: how many seconds a transaction may take.
    """
    shared = build_services(settings, transaction_timeout)
    catalogue = of_tasks(shared.offers)
    balances = Balances()
    queue_limits = QueueLimits(shared.database, settings.max_queued_jobs, settings.max_picture_bytes_waiting)
    jobs = _make_job_store(settings, shared, queue_limits, balances)
    waiters = Waiters(jobs, settings.max_waiters)
    request_log = RequestLog(
        shared.request_writer,
        shared.request_overflow,
        RefusedCalls(settings.refused_records_per_second),
        durable=settings.request_log_durable,
    )
    subscriber = connect(settings.redis_cache_url, CLIENT_TIMEOUT_SECONDS)
    key_store = KeyStore(shared.database)
    known_keys = _make_known_keys(settings, key_store)
    key_refresh = KeyRefresh(known_keys, shared.notifier.acknowledge)
    listener = Listener(subscriber, shared.cache.purge_marks, waiters, shared.notifier, key_refresh.announced)
    rates = RequestRates(connect(settings.redis_cache_url), shared.cache.l2.breaker, settings.api_processes)
    breakers = (*shared.cache.l1.breakers, *shared.cache.l2.breakers)
    hit_audits = _make_hit_audits(settings, shared)
    background = Background(
        *shared.database.loops,
        *shared.queue.loops,
        *(breaker.loop for breaker in breakers),
        request_log.loop,
        waiters.loop,
        *listener.loops,
        *key_refresh.loops,
        rates.loop,
        *([] if hit_audits is None else [hit_audits.loop]),
    )
    return ApiServices(
        **{field.name: getattr(shared, field.name) for field in fields(shared)},
        catalogue=catalogue,
        completions=completion_models(catalogue, settings),
        embeddable=embedding_models(settings),
        jobs=jobs,
        idempotency_keys=IdempotencyKeys(shared.database),
        responses=ResponseStore(shared.database),
        waiters=waiters,
        listener=listener,
        purges=PurgeStore(shared.database),
        request_log=request_log,
        request_reader=RequestReader(shared.database),
        statistics=StatisticsStore(shared.database),
        metrics=Metrics(
            *(request_log, waiters, queue_limits, background, CacheServers(breakers), shared.database.metrics),
            AuditMetrics(hit_audits),
        ),
        background=background,
        lifecycle=Lifecycle(),
        access=Access(known_keys),
        keys=KeyAdministration(key_store, shared.notifier),
        key_refresh=key_refresh,
        rates=rates,
        balances=balances,
        usage=UsageReader(shared.database),
        interest=_make_interest(settings, shared),
        operation=Operation(shared),
        hit_audits=hit_audits,
        tracing=Tracing(shared.tracer, settings.traces_hit_ratio),
    )


def _make_known_keys(settings: Settings, source: KeyStore) -> KnownKeys | None:
    if not settings.auth:
        return None
    if settings.cache_scope == "shared":
        return KnownKeys(source, lambda _: ANONYMOUS.namespace)
    return KnownKeys(source, lambda tenant: tenant)


def _make_hit_audits(settings: Settings, shared: Services) -> HitAudits | None:
    ratio = settings.audit.hit_ratio
    return HitAudits(shared.database, ratio) if ratio else None


def _make_interest(settings: Settings, shared: Services) -> Interest | None:
    if not settings.cancel_abandoned:
        return None
    return Interest(connect(settings.redis_cache_url), shared.cache.l2.breaker, settings.job_deadline_seconds)


def _make_job_store(settings: Settings, shared: Services, limits: QueueLimits, balances: Balances) -> JobStore:
    terms = Terms(settings.job_deadline_seconds, settings.republish_seconds, settings.log_payloads == "digest")
    publish = Publishing(shared.database, shared.queue.publish_all).publish
    return JobStore(
        shared.database,
        NewJobs(shared.database, terms, shared.cache.holds_nothing, publish, balances),
        limits,
        shared.prices,
    )
