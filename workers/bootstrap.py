"""What a worker has beyond the shared services."""

from dataclasses import dataclass

from celery import Celery

from shared.background import BackgroundLoop
from shared.bootstrap import Services, build_services
from shared.config import Settings
from shared.jobs.queue import make_celery
from shared.operation.operation import Operation
from shared.redis import connect
from workers.jobs.claims import Claims
from workers.jobs.content_locks import ContentLocks
from workers.jobs.leases import Leases
from workers.jobs.outage_retry import OutageRetry
from workers.jobs.relay import Relay
from workers.jobs.slots import Slots
from workers.maintenance.rounds import Maintenance
from workers.metrics.exported import WorkerMetrics
from workers.pictures.decoder import allowance
from workers.pictures.decoders import Decoders
from workers.process.job_events import JobEvents
from workers.providers.registry import Providers

TRANSACTION_TIMEOUT_SECONDS = 5.0
KEPT_SECONDS = 60.0
"""How long the parts of an answer are kept beyond the longest call, for those who come late."""


@dataclass(frozen=True, slots=True)
class WorkerServices:
    """What the tasks work with."""

    services: Services
    celery: Celery
    claims: Claims
    content_locks: ContentLocks
    leases: Leases
    relay: Relay
    slots: Slots
    decoders: Decoders
    events: JobEvents
    providers: Providers
    maintenance: Maintenance
    operation: Operation
    metrics: WorkerMetrics

    @property
    def loops(self) -> list[BackgroundLoop]:
        """The background loops, without those of Celery's machinery."""
        caches = (*self.services.cache.l1.breakers, *self.services.cache.l2.breakers)
        return [
            self.leases.loop,
            self.relay.loop,
            self.events.loop,
            *self.services.database.loops,
            *self.services.queue.loops,
            *(breaker.loop for breaker in caches),
        ]

    def use(self) -> dict[str, int]:
        """Return how much this worker uses of what it limits, for its metrics."""
        return {"pixels_decoding": self.decoders.pixels, "answers_too_large": self.providers.answers_too_large}

    def close(self) -> None:
        """Give up all connections."""
        self.leases.close()
        self.slots.close()
        self.decoders.close()
        self.relay.close()
        self.events.close()
        self.providers.close()
        self.operation.close()
        self.services.close()


def build_worker(settings: Settings, transaction_timeout: float = TRANSACTION_TIMEOUT_SECONDS) -> WorkerServices:
    """Wire a worker together and put it where its tasks find it: on the Celery app.

    `transaction_timeout`: how many seconds a transaction may take.
    """
    services = build_services(settings, transaction_timeout)
    celery = make_celery(settings.celery_broker_url)
    celery.conf.include = ["workers.tasks"]
    metrics = WorkerMetrics(services)
    claims = Claims(services.database, settings.lease_seconds, services.prices, OutageRetry())
    events = JobEvents(services.database)
    worker = WorkerServices(
        services=services,
        celery=celery,
        claims=claims,
        content_locks=ContentLocks(services.database, claims.outage_retry),
        leases=Leases(claims, settings.lease_seconds),
        relay=Relay(
            connect(settings.redis_cache_url),
            services.cache.l2.breaker,
            settings.longest_stream_seconds + KEPT_SECONDS,
        ),
        slots=Slots(settings.worker_concurrency),
        decoders=Decoders(allowance(settings.max_image_pixels), settings.max_pixels_decoding),
        events=events,
        providers=Providers(settings),
        maintenance=Maintenance(services, events, metrics),
        operation=Operation(services),
        metrics=metrics,
    )
    celery.askonce = worker
    return worker
