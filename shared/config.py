"""Settings from the environment and `.env`, read once into a frozen object; nothing else reads os.environ."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from shared.domain.prices import Price, known_prices, parse_prices
from shared.domain.providers import STREAM_TIMEOUTS, Provider
from shared.domain.registry import TASK_TYPES
from shared.domain.task_type import Model
from shared.environment.addresses import database_url, host_ports, ip_address, memcached_servers, web_origins
from shared.environment.audit_settings import AuditSettings, read_audit
from shared.environment.dotenv_file import read_dotenv
from shared.environment.provider_settings import queue_provider, queues, read_providers
from shared.environment.reader import Environment, named_header_values, names_and_passwords
from shared.environment.secret_files import with_secrets_from_files
from shared.environment.setting_names import check_names

MAX_TIER_TTL_SECONDS = 30 * 24 * 3600
"""Beyond 30 days memcached takes a TTL for a date in the past."""

DEFAULT_EMBEDDING_MODEL = "huggingface:BAAI/bge-m3"

DOTENV = Path(".env")
"""Of the working directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything an operator can set; `.env.example` names and explains each variable.

    Times are in seconds, sizes in bytes or characters as the name says. Secrets are kept out of `repr`.
    """

    providers: Mapping[str, Provider]
    aliases: Mapping[str, tuple[Model, ...]]
    simulator_url: str | None
    queue_providers: Mapping[str, str | None]
    models: Mapping[str, str]
    fallback_models: Mapping[str, str]
    allowed_models: Mapping[str, tuple[str, ...]]
    embedding_models: tuple[str, ...]
    database_url: str = field(repr=False)
    migration_database_url: str = field(repr=False)
    memcached_servers: tuple[tuple[str, int], ...]
    redis_cache_url: str = field(repr=False)
    celery_broker_url: str = field(repr=False)
    l1_ttl_seconds: int
    l2_ttl_seconds: int
    fallback_ttl_seconds: int
    embedding_ttl_seconds: int
    stale_if_error_seconds: int
    stale_while_revalidate_seconds: int
    max_input_chars: int
    max_image_bytes: int
    max_image_pixels: int
    max_pixels_decoding: int
    image_url_allow: tuple[tuple[str, int], ...]
    image_download_timeout_seconds: float
    max_answer_bytes: int
    job_deadline_seconds: int
    max_attempts: int
    max_queued_jobs: int
    max_picture_bytes_waiting: int
    retry_base_seconds: float
    lease_seconds: float
    republish_seconds: float
    shutdown_grace_seconds: float
    retention_days: int
    request_log_durable: bool
    refused_records_per_second: int
    log_payloads: str
    model_prices: Mapping[str, Price]
    audit: AuditSettings
    listen_address: str
    port: int
    flower_address: str
    flower_port: int
    flower_basic_auth: tuple[str, ...] = field(repr=False)
    flower_read_only: bool
    api_processes: int
    api_threads: int
    api_queue_size: int
    max_waiters: int
    max_connections: int
    body_budget_bytes: int
    body_timeout_seconds: float
    max_bodies_arriving: int
    unread_budget_bytes: int
    unread_timeout_seconds: float
    allowed_hosts: tuple[str, ...]
    cancel_abandoned: bool
    auth: bool
    allow_anonymous: bool
    cache_scope: str
    metrics_public: bool
    cors_origins: tuple[str, ...]
    worker_concurrency: int
    worker_metrics_address: str
    worker_metrics_port: int
    database_pool_size: int
    traces_endpoint: str | None
    traces_headers: Mapping[str, str] = field(repr=False)
    traces_hit_ratio: float
    log_level: str
    log_format: str

    def seconds_of_call(self, provider: str) -> float:
        """Return how long a call to a provider may take; 0 for one that there is not any more."""
        found = self.providers.get(provider)
        return 0.0 if found is None else found.timeout_seconds

    @property
    def longest_call_seconds(self) -> float:
        """How long a call to any provider may take."""
        return max(each.timeout_seconds for each in self.providers.values())

    @property
    def longest_stream_seconds(self) -> float:
        """How long a call to any provider may take that is streamed."""
        return STREAM_TIMEOUTS * self.longest_call_seconds


def read_environment(dotenv: Path | None = None) -> dict[str, str]:
    """Merge the environment over `.env` (of the working directory unless given); empty values are unset.

    Secrets that are in files are read: raises ConfigurationError for a file that can't be, `.env` included.
    """
    merged = {**read_dotenv(dotenv or DOTENV), **os.environ}
    read = with_secrets_from_files({name: value for name, value in merged.items() if value})
    return {name: value for name, value in read.items() if value}


def setting_names(environment: Mapping[str, str] | None = None) -> frozenset[str]:
    """Return the name of every setting: those that are asked for, whatever `environment` says."""
    read = Environment(environment or {})
    _settings(read)
    return read.names_asked_for


def check_setting_names(dotenv: Path | None = None) -> None:
    """Raise ConfigurationError for variables of `.env` and the environment that look like settings and are none."""
    check_names(setting_names(), read_dotenv(dotenv or DOTENV), os.environ)


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read and check every setting; raise ConfigurationError with the variable's name for a wrong value.

    Unless `environment` is given, a name that looks like a setting's and is none is wrong too.
    """
    if environment is None:
        check_setting_names()
    return _settings(Environment(read_environment() if environment is None else environment))


def _settings(read: Environment) -> Settings:
    """Ask for every setting, whatever the others say: what is asked for is what there is."""
    simulator_url = read.url("SIMULATOR_URL")
    max_image_pixels = read.integer("MAX_IMAGE_PIXELS", 25_000_000, 1, 250_000_000)
    found = read_providers(read)
    prices = known_prices(read.parsed("MODEL_PRICES", parse_prices, "{}"), found.prices)
    return Settings(
        providers=found.providers,
        aliases=found.aliases,
        simulator_url=simulator_url,
        queue_providers={queue: queue_provider(read, queue, simulator_url) for queue in queues()},
        models=_by_task(read, "MODEL"),
        fallback_models=_by_task(read, "FALLBACK_MODEL"),
        allowed_models={
            each.name: models for each in TASK_TYPES if (models := read.names(f"{each.name.upper()}_ALLOWED_MODELS"))
        },
        embedding_models=read.names("EMBEDDING_MODELS") or (DEFAULT_EMBEDDING_MODEL,),
        database_url=read.parsed("DATABASE_URL", database_url, "postgresql://127.0.0.1:5432/askonce"),
        migration_database_url=read.parsed(
            "MIGRATION_DATABASE_URL",
            database_url,
            read.text("DATABASE_URL") or "postgresql://127.0.0.1:5432/askonce",
        ),
        memcached_servers=read.parsed("MEMCACHED_SERVERS", memcached_servers, "127.0.0.1:11211"),
        redis_cache_url=read.redis_url("REDIS_CACHE_URL", "redis://127.0.0.1:6379/0"),
        celery_broker_url=read.redis_url("CELERY_BROKER_URL", "redis://127.0.0.1:6379/1"),
        l1_ttl_seconds=read.integer("L1_TTL_SECONDS", 300, 0, MAX_TIER_TTL_SECONDS),
        l2_ttl_seconds=read.integer("L2_TTL_SECONDS", 3600, 0, MAX_TIER_TTL_SECONDS),
        fallback_ttl_seconds=read.integer("FALLBACK_TTL_SECONDS", 60, 0, MAX_TIER_TTL_SECONDS),
        embedding_ttl_seconds=read.integer("EMBEDDING_TTL_SECONDS", MAX_TIER_TTL_SECONDS, 0, MAX_TIER_TTL_SECONDS),
        stale_if_error_seconds=read.integer("STALE_IF_ERROR_SECONDS", 86_400, 0, MAX_TIER_TTL_SECONDS),
        stale_while_revalidate_seconds=read.integer("STALE_WHILE_REVALIDATE_SECONDS", 0, 0, MAX_TIER_TTL_SECONDS),
        max_input_chars=read.integer("MAX_INPUT_CHARS", 100_000, 1, 10_000_000),
        max_image_bytes=read.integer("MAX_IMAGE_BYTES", 10_000_000, 1, 100_000_000),
        max_image_pixels=max_image_pixels,
        max_pixels_decoding=read.integer("MAX_PIXELS_DECODING", 2 * max_image_pixels, 1, 10_000_000_000),
        image_url_allow=read.parsed("IMAGE_URL_ALLOW", lambda text: host_ports(text, None), ""),
        image_download_timeout_seconds=read.number("IMAGE_DOWNLOAD_TIMEOUT_SECONDS", 20, 0.1, 600),
        max_answer_bytes=read.integer("MAX_ANSWER_BYTES", 10_000_000, 1_000, 1_000_000_000),
        job_deadline_seconds=read.integer("JOB_DEADLINE_SECONDS", 3600, 1, 7 * 24 * 3600),
        max_attempts=read.integer("MAX_ATTEMPTS", 5, 1, 100),
        max_queued_jobs=read.integer("MAX_QUEUED_JOBS", 100_000, 1, 10_000_000),
        max_picture_bytes_waiting=read.integer("MAX_PICTURE_BYTES_WAITING", 1_000_000_000, 1, 10**13),
        retry_base_seconds=read.number("RETRY_BASE_SECONDS", 1, 0.01, 600),
        lease_seconds=read.number("LEASE_SECONDS", 30, 1, 3600),
        republish_seconds=read.number("REPUBLISH_SECONDS", 15, 1, 3600),
        shutdown_grace_seconds=read.number("SHUTDOWN_GRACE_SECONDS", 5, 0, 3600),
        retention_days=read.integer("RETENTION_DAYS", 90, 1, 36500),
        request_log_durable=read.flag("REQUEST_LOG_DURABLE"),
        refused_records_per_second=read.integer("REFUSED_RECORDS_PER_SECOND", 100, 0, 1_000_000),
        log_payloads=read.choice("LOG_PAYLOADS", "full", ("full", "digest")),
        model_prices=prices,
        audit=read_audit(read, found.providers, prices),
        listen_address=read.parsed("LISTEN_ADDRESS", ip_address, "127.0.0.1"),
        port=read.integer("PORT", 8000, 1, 65535),
        flower_address=read.parsed("FLOWER_ADDRESS", ip_address, "127.0.0.1"),
        flower_port=read.integer("FLOWER_PORT", 5555, 1, 65535),
        flower_basic_auth=read.parsed("FLOWER_BASIC_AUTH", names_and_passwords, ""),
        flower_read_only=read.choice("FLOWER_READ_ONLY", "true", ("true", "false")) == "true",
        api_processes=read.integer("API_PROCESSES", 1, 1, 64),
        api_threads=read.integer("API_THREADS", 32, 2, 1024),
        api_queue_size=read.integer("API_QUEUE_SIZE", 5000, 0, 100_000),
        max_waiters=read.integer("MAX_WAITERS", 5000, 0, 100_000),
        max_connections=read.integer("MAX_CONNECTIONS", 10_000, 16, 1_000_000),
        body_budget_bytes=read.integer("BODY_BUDGET_BYTES", 64_000_000, 1_000_000, 100_000_000_000),
        body_timeout_seconds=read.number("BODY_TIMEOUT_SECONDS", 10, 0.1, 600),
        max_bodies_arriving=read.integer("MAX_BODIES_ARRIVING", 2000, 16, 1_000_000),
        unread_budget_bytes=read.integer("UNREAD_BUDGET_BYTES", 64_000_000, 1_000_000, 100_000_000_000),
        unread_timeout_seconds=read.number("UNREAD_TIMEOUT_SECONDS", 20, 1, 600),
        allowed_hosts=tuple(name.lower() for name in read.names("ALLOWED_HOSTS")),
        cancel_abandoned=read.flag("CANCEL_ABANDONED"),
        auth=read.choice("AUTH", "off", ("off", "on")) == "on",
        allow_anonymous=read.flag("ALLOW_ANONYMOUS"),
        cache_scope=read.choice("CACHE_SCOPE", "tenant", ("tenant", "shared")),
        metrics_public=read.flag("METRICS_PUBLIC"),
        cors_origins=read.parsed("CORS_ORIGINS", web_origins, ""),
        worker_concurrency=read.integer("WORKER_CONCURRENCY", 16, 1, 512),
        worker_metrics_address=read.parsed("WORKER_METRICS_ADDRESS", ip_address, "127.0.0.1"),
        worker_metrics_port=read.integer("WORKER_METRICS_PORT", 0, 0, 65533),
        database_pool_size=read.integer("DATABASE_POOL_SIZE", 10, 1, 200),
        traces_endpoint=read.url("TRACES_ENDPOINT"),
        traces_headers=read.parsed("TRACES_HEADERS", named_header_values, ""),
        traces_hit_ratio=read.number("TRACES_HIT_RATIO", 0.01, 0, 1),
        log_level=read.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
        log_format=read.choice("LOG_FORMAT", "text", ("text", "json")),
    )


def _by_task(read: Environment, name: str) -> Mapping[str, str]:
    return {each.name: model for each in TASK_TYPES if (model := read.text(f"{each.name.upper()}_{name}"))}
