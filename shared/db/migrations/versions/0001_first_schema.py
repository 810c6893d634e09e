"""The first schema: jobs, pictures, purges, requests, provider calls, hourly sums.

Why each index is there is said beside it in `shared/db/tables.py`.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

REQUEST_LOG = """
    CREATE VIEW request_log AS
    SELECT r.id, r.at, r.client, r.task_type, r.cache_key, r.outcome, r.status, r.latency_ms, r.job_id,
        coalesce(j.request, '{}'::jsonb) || coalesce(r.request, '{}'::jsonb) AS request,
        j.result AS response
    FROM requests r LEFT JOIN jobs j ON j.id = r.job_id
"""


def upgrade() -> None:
    """Create every table, then the view that joins each request to its job."""
    op.create_table(
        "hourly_statistics",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("task_type", sa.Text(), nullable=False, comment="empty when requests did not name one"),
        sa.Column("outcome", sa.Text(), nullable=False, comment="a request's outcome, or provider_call"),
        sa.Column("requests", sa.BIGINT(), server_default="0", nullable=False),
        sa.Column("latency_ms_sum", sa.Float(), server_default="0", nullable=False),
        sa.Column(
            "latency_histogram",
            postgresql.ARRAY(sa.BIGINT()),
            nullable=True,
            comment="requests by the bounds of api/statistics/store.py",
        ),
        sa.Column("provider_calls", sa.BIGINT(), server_default="0", nullable=False),
        sa.Column("provider_failures", sa.BIGINT(), server_default="0", nullable=False),
        sa.Column("prompt_tokens", sa.BIGINT(), server_default="0", nullable=False),
        sa.Column("completion_tokens", sa.BIGINT(), server_default="0", nullable=False),
        sa.Column("total_tokens", sa.BIGINT(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("hour", "task_type", "outcome", name=op.f("pk_hourly_statistics")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.Column("task_type", sa.Text(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("cache_key", sa.String(length=64), nullable=False),
        sa.Column(
            "paying_key",
            sa.String(length=64),
            nullable=True,
            comment="the picture's content key, while its job asks the provider",
        ),
        sa.Column("picture_sha256", sa.String(length=64), nullable=True),
        sa.Column("sharable", sa.Boolean(), nullable=False, comment="false for no-store: neither joined nor cached"),
        sa.Column(
            "refresh",
            sa.Boolean(),
            nullable=False,
            comment="true for no-cache and max-age: only its own answer will do",
        ),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("request", postgresql.JSONB(none_as_null=True), nullable=False),
        sa.Column("result", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("error", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("prompt_tokens", sa.Integer(), nullable=True),
        sa.Column("completion_tokens", sa.Integer(), nullable=True),
        sa.Column("total_tokens", sa.Integer(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "claims", sa.Integer(), server_default="0", nullable=False, comment="the fence: every claim raises it"
        ),
        sa.Column("publishes", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "publish_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when maintenance publishes a job that is still queued",
        ),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('queued', 'in_progress', 'completed', 'failed', 'cancelled')", name=op.f("ck_jobs_status")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(
        "ix_jobs_completed_at",
        "jobs",
        ["completed_at"],
        unique=False,
        postgresql_where=sa.text("completed_at IS NOT NULL"),
    )
    op.create_index(
        "ix_jobs_deadline_at", "jobs", ["deadline_at"], unique=False, postgresql_where=sa.text("status = 'queued'")
    )
    op.create_index(
        "ix_jobs_lease_until", "jobs", ["lease_until"], unique=False, postgresql_where=sa.text("status = 'in_progress'")
    )
    op.create_index(
        "ix_jobs_picture",
        "jobs",
        ["picture_sha256"],
        unique=False,
        postgresql_where=sa.text("status IN ('queued', 'in_progress') AND picture_sha256 IS NOT NULL"),
    )
    op.create_index(
        "ix_jobs_publish_at", "jobs", ["publish_at"], unique=False, postgresql_where=sa.text("status = 'queued'")
    )
    op.create_index("ix_jobs_status_id", "jobs", ["status", "id"], unique=False)
    op.create_index("ix_jobs_task_type_id", "jobs", ["task_type", "id"], unique=False)
    op.create_index(
        "uq_jobs_live_cache_key",
        "jobs",
        ["cache_key"],
        unique=True,
        postgresql_where=sa.text("status IN ('queued', 'in_progress') AND sharable"),
    )
    op.create_index(
        "uq_jobs_paying_key",
        "jobs",
        ["paying_key"],
        unique=True,
        postgresql_where=sa.text("status = 'in_progress' AND paying_key IS NOT NULL"),
    )
    op.create_table(
        "pictures",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_pictures")),
    )
    op.create_table(
        "provider_calls",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("task_type", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("prompt_tokens", sa.Integer(), nullable=True),
        sa.Column("completion_tokens", sa.Integer(), nullable=True),
        sa.Column("total_tokens", sa.Integer(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("folded", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("outcome IN ('completed', 'failed')", name=op.f("ck_provider_calls_outcome")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_calls")),
    )
    op.create_index("ix_provider_calls_job_id", "provider_calls", ["job_id"], unique=False)
    op.create_index(
        "ix_provider_calls_unfolded", "provider_calls", ["id"], unique=False, postgresql_where=sa.text("NOT folded")
    )
    op.create_table(
        "purges",
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.Column("task_type", sa.Text(), nullable=False),
        sa.Column("purged_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "task_type", name=op.f("pk_purges")),
    )
    op.create_table(
        "requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("task_type", sa.Text(), nullable=True, comment="null when the request did not name one"),
        sa.Column("cache_key", sa.String(length=64), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("latency_ms", sa.Float(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True, comment="no foreign key: jobs are pruned on their own"),
        sa.Column(
            "request",
            postgresql.JSONB(none_as_null=True),
            nullable=True,
            comment="what the job's row does not say: a refused request's size, digest and error",
        ),
        sa.CheckConstraint(
            "outcome IN ('memcached', 'redis', 'joined', 'bypass', 'miss', 'error')", name=op.f("ck_requests_outcome")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requests")),
    )
    op.create_index("ix_requests_at", "requests", ["at"], unique=False, postgresql_using="brin")
    op.create_index(
        "ix_requests_job_id", "requests", ["job_id"], unique=False, postgresql_where=sa.text("job_id IS NOT NULL")
    )

    op.execute(REQUEST_LOG)


def downgrade() -> None:
    """Drop everything."""
    op.execute("DROP VIEW request_log")

    op.drop_index("ix_requests_job_id", table_name="requests", postgresql_where=sa.text("job_id IS NOT NULL"))
    op.drop_index("ix_requests_at", table_name="requests", postgresql_using="brin")
    op.drop_table("requests")
    op.drop_table("purges")
    op.drop_index("ix_provider_calls_unfolded", table_name="provider_calls", postgresql_where=sa.text("NOT folded"))
    op.drop_index("ix_provider_calls_job_id", table_name="provider_calls")
    op.drop_table("provider_calls")
    op.drop_table("pictures")
    op.drop_index(
        "uq_jobs_paying_key",
        table_name="jobs",
        postgresql_where=sa.text("status = 'in_progress' AND paying_key IS NOT NULL"),
    )
    op.drop_index(
        "uq_jobs_live_cache_key",
        table_name="jobs",
        postgresql_where=sa.text("status IN ('queued', 'in_progress') AND sharable"),
    )
    op.drop_index("ix_jobs_task_type_id", table_name="jobs")
    op.drop_index("ix_jobs_status_id", table_name="jobs")
    op.drop_index("ix_jobs_publish_at", table_name="jobs", postgresql_where=sa.text("status = 'queued'"))
    op.drop_index(
        "ix_jobs_picture",
        table_name="jobs",
        postgresql_where=sa.text("status IN ('queued', 'in_progress') AND picture_sha256 IS NOT NULL"),
    )
    op.drop_index("ix_jobs_lease_until", table_name="jobs", postgresql_where=sa.text("status = 'in_progress'"))
    op.drop_index("ix_jobs_deadline_at", table_name="jobs", postgresql_where=sa.text("status = 'queued'"))
    op.drop_index("ix_jobs_completed_at", table_name="jobs", postgresql_where=sa.text("completed_at IS NOT NULL"))
    op.drop_table("jobs")
    op.drop_table("hourly_statistics")
