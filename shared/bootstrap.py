"""What both the API and the workers need, built once from the settings. Nothing connects yet."""

from dataclasses import dataclass
from functools import partial

from shared.cache.batches import BatchCache
from shared.cache.freshness import Freshness
from shared.cache.memcached import MemcachedTier
from shared.cache.purges import PurgeMarks, PurgeStore
from shared.cache.redis import RedisTier
from shared.cache.tiered import TieredCache
from shared.config import Settings
from shared.db.engine import TRANSACTION_TIMEOUT_SECONDS, Database
from shared.domain.catalogue import Catalogue, vendor_of
from shared.domain.offers import make_offers
from shared.domain.prices import Prices
from shared.jobs.notifier import CLIENT_TIMEOUT_SECONDS, Notifier
from shared.jobs.queue import JobQueue, open_queue
from shared.provider_limits.gate import ProviderGate
from shared.redis import connect
from shared.request_log.overflow import RequestOverflow
from shared.request_log.writer import RequestWriter
from shared.traces.opening import open_tracer
from shared.traces.spans import Tracer


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What every use case may work with. `offers`: of every task type that a job may have.

    `embeddings`: the same tiers as `cache`, with the TTL of embeddings.
    """

    settings: Settings
    offers: Catalogue
    database: Database
    cache: TieredCache[MemcachedTier, RedisTier]
    embeddings: BatchCache
    queue: JobQueue
    notifier: Notifier
    gate: ProviderGate
    request_writer: RequestWriter
    request_overflow: RequestOverflow
    prices: Prices
    tracer: Tracer

    def close(self) -> None:
        """Give up all connections."""
        self.request_overflow.close()
        self.cache.close()
        self.notifier.close()
        self.queue.close()
        self.database.close()
        self.tracer.close()


def build_services(settings: Settings, transaction_timeout: float = TRANSACTION_TIMEOUT_SECONDS) -> Services:
    """Wire together what both sides need. `transaction_timeout`: how many seconds a transaction may take."""
    database = Database(settings.database_url, settings.database_pool_size, transaction_timeout)
    redis = connect(settings.redis_cache_url)
    l1, l2 = MemcachedTier(settings.memcached_servers), RedisTier(redis)
    purge_marks = PurgeMarks(PurgeStore(database))
    queue = open_queue(settings.celery_broker_url)
    offers = make_offers(settings)
    return Services(
        settings=settings,
        offers=offers,
        database=database,
        cache=_make_cache(settings, l1, l2, purge_marks),
        embeddings=BatchCache(l1, l2, _freshness_of_embeddings(settings, purge_marks)),
        queue=queue,
        notifier=Notifier(connect(settings.redis_cache_url, CLIENT_TIMEOUT_SECONDS)),
        gate=ProviderGate(
            redis,
            l2.breaker,
            settings.longest_call_seconds,
            {name: each.requests_per_minute for name, each in settings.providers.items()},
            partial(vendor_of, offers),
        ),
        request_writer=RequestWriter(database),
        request_overflow=RequestOverflow(connect(settings.redis_cache_url, CLIENT_TIMEOUT_SECONDS)),
        prices=Prices(settings.model_prices),
        tracer=open_tracer(settings),
    )


def _make_cache(
    settings: Settings, l1: MemcachedTier, l2: RedisTier, purge_marks: PurgeMarks
) -> TieredCache[MemcachedTier, RedisTier]:
    return TieredCache(
        l1,
        l2,
        l1_ttl=settings.l1_ttl_seconds,
        l2_ttl=settings.l2_ttl_seconds,
        fallback_ttl=settings.fallback_ttl_seconds,
        stale_ttl=max(settings.stale_if_error_seconds, settings.stale_while_revalidate_seconds),
        purge_marks=purge_marks,
    )


def _freshness_of_embeddings(settings: Settings, purge_marks: PurgeMarks) -> Freshness:
    return Freshness(l1_ttl=settings.l1_ttl_seconds, l2_ttl=settings.embedding_ttl_seconds, purge_marks=purge_marks)
