"""The composition root: everything that both processes need, built once from the settings. Nothing connects yet."""

from dataclasses import dataclass

from api.jobs.listener import Listener
from api.jobs.queue_limits import QueueLimits
from api.jobs.store import JobStore
from api.jobs.waiters import Waiters
from api.lifecycle import Lifecycle
from api.metrics import Metrics
from api.request_log.buffer import RequestLog
from api.request_log.reader import RequestStore
from api.statistics.store import StatisticsStore
from shared.background import Background
from shared.cache.memcached import Memcached
from shared.cache.purge_marks import PurgeMarks
from shared.cache.purges import PurgeStore
from shared.cache.redis import RedisTier
from shared.cache.tiered import TieredCache
from shared.config import Settings
from shared.db.engine import PATIENCE_SECONDS, Database
from shared.domain.catalogue import Catalogue
from shared.domain.prices import Prices
from shared.jobs.notifier import CLIENT_TIMEOUT_SECONDS, Notifier
from shared.jobs.queue import JobQueue, make_publisher
from shared.provider_limits.gate import ProviderGate
from shared.redis import connect
from shared.request_log.overflow import RequestOverflow
from shared.request_log.writer import RequestWriter


@dataclass(frozen=True, slots=True)
class Services:
    """What the use cases work with."""

    settings: Settings
    catalogue: Catalogue
    database: Database
    cache: TieredCache
    jobs: JobStore
    queue: JobQueue
    notifier: Notifier
    waiters: Waiters
    listener: Listener
    gate: ProviderGate
    purges: PurgeStore
    request_log: RequestLog
    request_writer: RequestWriter
    request_store: RequestStore
    prices: Prices
    statistics: StatisticsStore
    metrics: Metrics
    lifecycle: Lifecycle
    background: Background

    def close(self) -> None:
        """Write what is buffered and give up all connections."""
        self.lifecycle.stopping()
        self.waiters.release()
        self.listener.close()
        self.request_log.close()
        self.metrics.close()
        self.cache.l1.close()
        self.cache.l2.close()
        self.notifier.close()
        self.queue.close()
        self.database.close()


def build_services(settings: Settings, database_patience: float = PATIENCE_SECONDS) -> Services:
    """Wire everything together. `database_patience`: how many seconds a transaction may take."""
    publisher = make_publisher(settings.celery_broker_url, settings.api_threads)
    database = Database(settings.database_url, settings.database_pool_size, database_patience)
    purges = PurgeStore(database)
    purge_marks = PurgeMarks(purges)
    jobs = _make_job_store(settings, database)
    waiters = Waiters(jobs, settings.max_waiters)
    notifier = Notifier(connect(settings.redis_cache_url, CLIENT_TIMEOUT_SECONDS))
    overflow = RequestOverflow(connect(settings.redis_cache_url, CLIENT_TIMEOUT_SECONDS))
    request_writer = RequestWriter(database)
    request_log = RequestLog(request_writer, overflow, durable=settings.request_log_durable)
    redis = connect(settings.redis_cache_url)
    l1, l2 = Memcached(settings.memcached_servers), RedisTier(redis)
    queue = JobQueue(publisher, connect(settings.celery_broker_url))
    listener = Listener(connect(settings.redis_cache_url, CLIENT_TIMEOUT_SECONDS), purge_marks, waiters, notifier)
    breakers = [*l1.breakers, *l2.breakers]
    background = Background(request_log.loop, waiters.loop, *listener.loops, *database.loops, *queue.loops)
    background.add(*(breaker.loop for breaker in breakers))
    return Services(
        settings=settings,
        catalogue=Catalogue(settings),
        database=database,
        cache=_make_cache(settings, l1, l2, purge_marks),
        jobs=jobs,
        queue=queue,
        notifier=notifier,
        waiters=waiters,
        listener=listener,
        gate=ProviderGate(
            redis,
            l2.breaker,
            settings.provider_timeout_seconds,
            {"text": settings.groq_requests_per_minute, "image": settings.hf_requests_per_minute},
        ),
        purges=purges,
        request_log=request_log,
        request_writer=request_writer,
        request_store=RequestStore(database),
        prices=Prices(settings.model_prices),
        statistics=StatisticsStore(database),
        metrics=Metrics(request_log, waiters, breakers, background),
        lifecycle=Lifecycle(),
        background=background,
    )


def _make_job_store(settings: Settings, database: Database) -> JobStore:
    return JobStore(
        database,
        settings.job_deadline_seconds,
        settings.republish_seconds,
        limits=QueueLimits(database, settings.max_queued_jobs, settings.max_picture_bytes_waiting),
        redact=settings.log_payloads == "digest",
    )


def _make_cache(settings: Settings, l1: Memcached, l2: RedisTier, purge_marks: PurgeMarks) -> TieredCache:
    return TieredCache(
        l1,
        l2,
        l1_ttl=settings.l1_ttl_seconds,
        l2_ttl=settings.l2_ttl_seconds,
        fallback_ttl=settings.fallback_ttl_seconds,
        stale_ttl=max(settings.stale_if_error_seconds, settings.stale_while_revalidate_seconds),
        purge_marks=purge_marks,
    )
