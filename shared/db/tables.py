"""The tables. The migrations create them; a test checks that both agree."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Table,
    Text,
    Uuid,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT, JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Json = JSONB(none_as_null=True)
UtcDateTime = DateTime(timezone=True)

LIVE = "status IN ('queued', 'in_progress')"
IN_TURN = "status = 'queued' AND key_id IS NOT NULL"

jobs = Table(
    "jobs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("client", Text, nullable=False),
    Column("tenant", Text, nullable=False, server_default=text("'default'"), comment="of the client that made it"),
    Column("key_id", Text, comment="that client's API key; null where no keys are asked for"),
    Column("budgeted", Boolean, nullable=False, server_default=false(), comment="its calls are paid from budgets"),
    Column("namespace", Text, nullable=False),
    Column("task_type", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("fallbacks", Json, comment="who answers when model can't, in order: [{provider, model}]; null: nobody"),
    Column("cache_key", String(64), nullable=False),
    Column("content_lock", String(64), comment="the picture's content key, while its job asks the provider"),
    Column("picture_sha256", String(64)),
    Column("content_sha256", String(64), comment="what the picture turned out to be, once it was fetched"),
    Column("sharable", Boolean, nullable=False, comment="false for no-store: neither joined nor cached"),
    Column("refresh", Boolean, nullable=False, comment="true for no-cache and max-age: only its own answer will do"),
    Column("streams", Boolean, nullable=False, server_default=false(), comment="a client wants the answer in pieces"),
    Column("status", Text, nullable=False),
    Column("request", Json, nullable=False),
    Column("request_id", Text, comment="X-Request-ID of the request that made it"),
    Column("traceparent", Text, comment="the span, of W3C's Trace Context, that its attempts belong to"),
    Column("redacted_request", Json, comment="takes the place of request at the end of the job; null: request stays"),
    Column("result", Json),
    Column(
        "stale",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="true: the result was past its freshness, and the provider had failed",
    ),
    Column("error", Json),
    Column("prompt_tokens", Integer),
    Column("completion_tokens", Integer),
    Column("total_tokens", Integer),
    Column("cached_tokens", Integer, comment="those of prompt_tokens that the provider knew from an earlier call"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("claims", Integer, nullable=False, server_default="0", comment="the fence: every claim raises it"),
    Column("claim_id", Uuid, comment="of the newest claim: who made it knows it again if the commit was not confirmed"),
    Column("publishes", Integer, nullable=False, server_default="0"),
    Column("publish_at", UtcDateTime, nullable=False, comment="when maintenance publishes a job that is still queued"),
    Column("not_before", UtcDateTime, nullable=False),
    Column("deadline_at", UtcDateTime, nullable=False),
    Column("lease_until", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False, server_default=func.now()),
    Column("started_at", UtcDateTime),
    Column("completed_at", UtcDateTime),
    CheckConstraint("status IN ('queued', 'in_progress', 'completed', 'failed', 'cancelled')", name="status"),
    # Coalescing: at most one live job for each cache key.
    Index("uq_jobs_live_cache_key", "cache_key", unique=True, postgresql_where=text(f"{LIVE} AND sharable")),
    # At most one job at a time asks the provider about a picture, whatever the picture's address.
    Index(
        "uq_jobs_content_lock",
        "content_lock",
        unique=True,
        postgresql_where=text("status = 'in_progress' AND content_lock IS NOT NULL"),
    ),
    # Maintenance: jobs to publish, in order; jobs past their deadline; expired leases; pictures that are still needed.
    Index("ix_jobs_queue_publish_at_id", "queue", "publish_at", "id", postgresql_where=text("status = 'queued'")),
    Index("ix_jobs_deadline_at", "deadline_at", postgresql_where=text("status = 'queued'")),
    Index("ix_jobs_lease_until", "lease_until", postgresql_where=text("status = 'in_progress'")),
    Index("ix_jobs_picture", "picture_sha256", postgresql_where=text(f"{LIVE} AND picture_sha256 IS NOT NULL")),
    # Limits of the jobs that a key, or all keys of a tenant, may have in flight.
    Index("ix_jobs_live_tenant_key", "tenant", "key_id", postgresql_where=text(f"{LIVE} AND key_id IS NOT NULL")),
    # Workers: which clients have jobs queued, and the oldest of each.
    Index("ix_jobs_queue_client", "queue", "tenant", "key_id", "not_before", "id", postgresql_where=text(IN_TURN)),
    # The list's filters; the primary key orders by time (UUIDv7).
    Index("ix_jobs_status_id", "status", "id"),
    Index("ix_jobs_task_type_id", "task_type", "id"),
    Index("ix_jobs_named_tenant_id", "tenant", "id", postgresql_where=text("tenant <> 'default'")),
    # Pruning by age.
    Index("ix_jobs_completed_at", "completed_at", postgresql_where=text("completed_at IS NOT NULL")),
    # Emptying results that are kept only while a tier may serve them, or clients poll.
    Index(
        "ix_jobs_redacted_result",
        "completed_at",
        postgresql_where=text("redacted_request IS NOT NULL AND result IS NOT NULL"),
    ),
)

REQUEST_AT_END = func.coalesce(jobs.c.redacted_request, jobs.c.request)
"""The value of `request` after a job's end."""

pictures = Table(
    "pictures",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("used_at", UtcDateTime, nullable=False, server_default=func.now()),
    Index("ix_pictures_used_at_sha256", "used_at", "sha256"),  # pruning by age
)

purges = Table(
    "purges",
    metadata,
    Column("namespace", Text, primary_key=True),
    Column("task_type", Text, primary_key=True),
    Column("purged_at", UtcDateTime, nullable=False),
)

requests = Table(
    "requests",
    metadata,
    Column("id", Uuid, primary_key=True, comment="UUIDv7: in the order of time"),
    Column("at", UtcDateTime, nullable=False, comment="the time within the id"),
    Column("client", Text, nullable=False),
    Column("tenant", Text, nullable=False, server_default=text("'default'")),
    Column("task_type", Text, comment="null when the request did not name one"),
    Column("cache_key", String(64)),
    Column("outcome", Text, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("latency_ms", Float, nullable=False),
    Column("job_id", Uuid, comment="no foreign key: jobs are pruned on their own"),
    Column("request_id", Text, comment="X-Request-ID: the client's, else ours"),
    Column("trace_id", Uuid(as_uuid=False), comment="of W3C's Trace Context, where there is a trace"),
    Column("saved_prompt_tokens", Integer, comment="saved_*: what a hit did not cost again; null for all but hits"),
    Column("saved_completion_tokens", Integer),
    Column("saved_total_tokens", Integer),
    Column("saved_cached_tokens", Integer),
    Column("saved_cost", Numeric, comment="US dollars; null where the price of the model is not known"),
    Column("saved_ms", Integer, comment="how long the job that made the answer ran"),
    Column("request", Json, comment="what the job's row does not say: a refused request's size, digest and error"),
    CheckConstraint("outcome IN ('memcached', 'redis', 'joined', 'bypass', 'miss', 'error')", name="outcome"),
    # Pages, time ranges and pruning use the primary key, because ids contain the time. The index on `at` is for SQL by
    # hand, and takes some kilobytes. It keeps several intervals for each block range, so that it stays selective where
    # rows reuse the space of deleted ones. It is summarized as the table grows: most queries ask for the newest rows.
    Index(
        "ix_requests_at",
        "at",
        postgresql_using="brin",
        postgresql_ops={"at": "timestamptz_minmax_multi_ops"},
        postgresql_with={"autosummarize": "on"},
    ),
    # The filters of the request list, newest first. A filter that most rows pass needs no index: the newest rows are
    # read until the page is full. Therefore outcomes, statuses and clients have an index for their rare values only.
    Index("ix_requests_task_type_id", "task_type", "id"),
    Index(
        "ix_requests_rare_outcome_id",
        "outcome",
        "id",
        postgresql_where=text("outcome IN ('joined', 'bypass', 'error')"),
    ),
    Index("ix_requests_rare_status_id", "status", "id", postgresql_where=text("status NOT IN (200, 202)")),
    Index("ix_requests_named_client_id", "client", "id", postgresql_where=text("client <> 'anonymous'")),
    Index("ix_requests_named_tenant_id", "tenant", "id", postgresql_where=text("tenant <> 'default'")),
    Index("ix_requests_request_id_id", "request_id", "id", postgresql_where=text("request_id IS NOT NULL")),
    Index("ix_requests_trace_id_id", "trace_id", "id", postgresql_where=text("trace_id IS NOT NULL")),
    # For the requests of a job; the pruning of jobs uses it too.
    Index("ix_requests_job_id_id", "job_id", "id", postgresql_where=text("job_id IS NOT NULL")),
)

provider_calls = Table(
    "provider_calls",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("job_id", Uuid, nullable=False),
    Column("tenant", Text, nullable=False, server_default=text("'default'")),
    Column("attempt", Integer, nullable=False),
    Column("task_type", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("outcome", Text, nullable=False, comment="started until the end of the call is known"),
    Column("error_code", Text),
    Column("prompt_tokens", Integer),
    Column("completion_tokens", Integer),
    Column("total_tokens", Integer),
    Column("cached_tokens", Integer, comment="those of prompt_tokens that the provider knew from an earlier call"),
    Column("cost", Numeric, comment="US dollars; null where not known"),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("folded", Boolean, nullable=False, server_default=text("false")),
    CheckConstraint("outcome IN ('started', 'completed', 'failed')", name="outcome"),
    CheckConstraint("(outcome = 'started') = (ended_at IS NULL)", name="ended_at"),
    # Calls that the aggregates do not include yet; calls without an end; the calls of a job.
    Index("ix_provider_calls_unfolded", "id", postgresql_where=text("NOT folded AND outcome <> 'started'")),
    Index("ix_provider_calls_started", "started_at", postgresql_where=text("outcome = 'started'")),
    Index("ix_provider_calls_job_id", "job_id"),
)


def _statistics(name: str, bucket: str) -> Table:
    return Table(
        name,
        metadata,
        Column(bucket, UtcDateTime, primary_key=True),
        Column("tenant", Text, primary_key=True, server_default=text("'default'")),
        Column("task_type", Text, primary_key=True, comment="empty when requests did not name one"),
        Column("outcome", Text, primary_key=True, comment="a request's outcome, or provider_call"),
        Column("code", Text, primary_key=True, comment="of an error or a failed provider call, else empty"),
        Column("requests", BIGINT, nullable=False, server_default="0"),
        Column("latency_ms_sum", Float, nullable=False, server_default="0"),
        Column(
            "latency_histogram", ARRAY(BIGINT), comment="requests by the bounds of shared/request_log/aggregates.py"
        ),
        Column("provider_calls", BIGINT, nullable=False, server_default="0"),
        Column("prompt_tokens", BIGINT, nullable=False, server_default="0", comment="spent by calls, saved by hits"),
        Column("completion_tokens", BIGINT, nullable=False, server_default="0"),
        Column("total_tokens", BIGINT, nullable=False, server_default="0"),
        Column("cached_tokens", BIGINT, nullable=False, server_default="0"),
        Column("cost", Numeric, nullable=False, server_default="0", comment="US dollars, spent or saved"),
        Column("unpriced", BIGINT, nullable=False, server_default="0", comment="calls or hits whose cost is not known"),
        Column("duration_ms", BIGINT, nullable=False, server_default="0", comment="of calls, or saved by hits"),
    )


hourly_statistics = _statistics("hourly_statistics", "hour")
daily_statistics = _statistics("daily_statistics", "day")
