"""The request log at size: what hits save, what calls cost, errors by code, sums by the day, payloads that go.

Why each index is there is said beside it in `shared/db/tables.py`.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

RARE_OUTCOMES = "outcome IN ('joined', 'bypass', 'error')"
SUMS = ("cost", "unpriced", "duration_ms")

# Codes of errors were not counted until now; a failed provider call keeps its place under a code of its own.
SPLIT_FAILURES = """
    INSERT INTO hourly_statistics (hour, task_type, outcome, code, provider_calls)
    SELECT hour, task_type, outcome, 'unknown', provider_failures FROM hourly_statistics WHERE provider_failures > 0
"""
SUBTRACT_FAILURES = "UPDATE hourly_statistics SET provider_calls = provider_calls - provider_failures WHERE code = ''"
NAME_ERRORS = "UPDATE hourly_statistics SET code = 'unknown' WHERE outcome = 'error'"
FILL_DAYS = """
    INSERT INTO daily_statistics (day, task_type, outcome, code, requests, latency_ms_sum, latency_histogram,
        provider_calls, prompt_tokens, completion_tokens, total_tokens)
    SELECT date_trunc('day', hour, 'UTC'), task_type, outcome, code, sum(requests), sum(latency_ms_sum),
        CASE WHEN count(latency_histogram) > 0 THEN ARRAY[{buckets}] END,
        sum(provider_calls), sum(prompt_tokens), sum(completion_tokens), sum(total_tokens)
    FROM hourly_statistics GROUP BY 1, 2, 3, 4
""".format(buckets=", ".join(f"coalesce(sum(latency_histogram[{number}]), 0)" for number in range(1, 26)))  # noqa: S608  built of constants


SUMS_COMMENTS = {
    "task_type": "empty when requests did not name one",
    "outcome": "a request's outcome, or provider_call",
    "code": "of an error or a failed provider call, else empty",
    "latency_histogram": "requests by the bounds of shared/request_log/aggregates.py",
    "prompt_tokens": "spent by calls, saved by hits",
    "cost": "US dollars, spent or saved",
    "unpriced": "calls or hits whose cost is not known",
    "duration_ms": "of calls, or saved by hits",
}
COMMENTS = {
    "jobs": {"redacted_request": "takes the place of request at the end of the job; null: request stays"},
    "requests": {
        "id": "UUIDv7: in the order of time",
        "at": "the time within the id",
        "saved_prompt_tokens": "saved_*: what a hit did not cost again; null for all but hits",
        "saved_cost": "US dollars; null where the price of the model is not known",
        "saved_ms": "how long the job that made the answer ran",
    },
    "provider_calls": {
        "outcome": "started until the end of the call is known",
        "cost": "US dollars; null where not known",
    },
    "hourly_statistics": SUMS_COMMENTS,
    "daily_statistics": SUMS_COMMENTS,
}


def upgrade() -> None:
    """Alter the tables and fill the new sums from the old ones."""
    _alter_requests()
    _alter_provider_calls()
    _alter_jobs()
    _alter_statistics()
    for table, comments in COMMENTS.items():
        for column, comment in comments.items():
            op.alter_column(table, column, comment=comment)


def _alter_requests() -> None:
    for name in ("saved_prompt_tokens", "saved_completion_tokens", "saved_total_tokens", "saved_ms"):
        op.add_column("requests", sa.Column(name, sa.Integer(), nullable=True))
    op.add_column("requests", sa.Column("saved_cost", sa.Numeric(), nullable=True))
    op.drop_index("ix_requests_at", table_name="requests")
    op.create_index(
        "ix_requests_at",
        "requests",
        ["at"],
        postgresql_using="brin",
        postgresql_ops={"at": "timestamptz_minmax_multi_ops"},
        postgresql_with={"autosummarize": "on"},
    )
    op.create_index("ix_requests_task_type_id", "requests", ["task_type", "id"])
    op.create_index(
        "ix_requests_rare_outcome_id", "requests", ["outcome", "id"], postgresql_where=sa.text(RARE_OUTCOMES)
    )
    op.create_index(
        "ix_requests_rare_status_id",
        "requests",
        ["status", "id"],
        postgresql_where=sa.text("status NOT IN (200, 202)"),
    )
    op.create_index(
        "ix_requests_named_client_id", "requests", ["client", "id"], postgresql_where=sa.text("client <> 'anonymous'")
    )
    op.drop_index("ix_requests_job_id", table_name="requests")
    op.create_index(
        "ix_requests_job_id_id", "requests", ["job_id", "id"], postgresql_where=sa.text("job_id IS NOT NULL")
    )


def _alter_provider_calls() -> None:
    op.add_column("provider_calls", sa.Column("cost", sa.Numeric(), nullable=True))
    op.alter_column("provider_calls", "ended_at", nullable=True)
    op.drop_constraint(op.f("ck_provider_calls_outcome"), "provider_calls")
    op.create_check_constraint(
        op.f("ck_provider_calls_outcome"), "provider_calls", "outcome IN ('started', 'completed', 'failed')"
    )
    op.create_check_constraint(
        op.f("ck_provider_calls_ended_at"), "provider_calls", "(outcome = 'started') = (ended_at IS NULL)"
    )
    op.drop_index("ix_provider_calls_unfolded", table_name="provider_calls")
    op.create_index(
        "ix_provider_calls_unfolded",
        "provider_calls",
        ["id"],
        postgresql_where=sa.text("NOT folded AND outcome <> 'started'"),
    )
    op.create_index(
        "ix_provider_calls_started", "provider_calls", ["started_at"], postgresql_where=sa.text("outcome = 'started'")
    )


def _alter_jobs() -> None:
    op.add_column("jobs", sa.Column("redacted_request", postgresql.JSONB(none_as_null=True), nullable=True))
    op.create_index(
        "ix_jobs_redacted_result",
        "jobs",
        ["completed_at"],
        postgresql_where=sa.text("redacted_request IS NOT NULL AND result IS NOT NULL"),
    )


def _alter_statistics() -> None:
    op.add_column("hourly_statistics", sa.Column("code", sa.Text(), nullable=False, server_default=""))
    op.drop_constraint(op.f("pk_hourly_statistics"), "hourly_statistics")
    op.create_primary_key(op.f("pk_hourly_statistics"), "hourly_statistics", ["hour", "task_type", "outcome", "code"])
    op.alter_column("hourly_statistics", "code", server_default=None)
    op.execute(SPLIT_FAILURES)
    op.execute(SUBTRACT_FAILURES)
    op.execute(NAME_ERRORS)
    op.drop_column("hourly_statistics", "provider_failures")
    op.add_column("hourly_statistics", sa.Column("cost", sa.Numeric(), server_default="0", nullable=False))
    for name in ("unpriced", "duration_ms"):
        op.add_column("hourly_statistics", sa.Column(name, sa.BIGINT(), server_default="0", nullable=False))
    op.create_table(
        "daily_statistics",
        sa.Column("day", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("task_type", "outcome", "code")),
        sa.Column("requests", sa.BIGINT(), server_default="0", nullable=False),
        sa.Column("latency_ms_sum", sa.Float(), server_default="0", nullable=False),
        sa.Column("latency_histogram", postgresql.ARRAY(sa.BIGINT()), nullable=True),
        *(
            sa.Column(name, sa.BIGINT(), server_default="0", nullable=False)
            for name in ("provider_calls", "prompt_tokens", "completion_tokens", "total_tokens")
        ),
        sa.Column("cost", sa.Numeric(), server_default="0", nullable=False),
        *(sa.Column(name, sa.BIGINT(), server_default="0", nullable=False) for name in ("unpriced", "duration_ms")),
        sa.PrimaryKeyConstraint("day", "task_type", "outcome", "code", name=op.f("pk_daily_statistics")),
    )
    op.execute(FILL_DAYS)


def downgrade() -> None:
    """Go back to the first schema; what it has no place for is dropped."""
    op.drop_table("daily_statistics")
    op.execute("DELETE FROM hourly_statistics WHERE outcome = 'provider_call' AND code <> ''")
    op.execute("DELETE FROM hourly_statistics WHERE outcome = 'error' AND code <> 'unknown'")
    for name in SUMS:
        op.drop_column("hourly_statistics", name)
    op.add_column("hourly_statistics", sa.Column("provider_failures", sa.BIGINT(), server_default="0", nullable=False))
    op.drop_constraint(op.f("pk_hourly_statistics"), "hourly_statistics")
    op.drop_column("hourly_statistics", "code")
    op.create_primary_key(op.f("pk_hourly_statistics"), "hourly_statistics", ["hour", "task_type", "outcome"])
    op.drop_index("ix_jobs_redacted_result", table_name="jobs")
    op.drop_column("jobs", "redacted_request")
    op.execute("DELETE FROM provider_calls WHERE outcome = 'started'")
    op.drop_index("ix_provider_calls_started", table_name="provider_calls")
    op.drop_index("ix_provider_calls_unfolded", table_name="provider_calls")
    op.create_index("ix_provider_calls_unfolded", "provider_calls", ["id"], postgresql_where=sa.text("NOT folded"))
    op.drop_constraint(op.f("ck_provider_calls_ended_at"), "provider_calls")
    op.drop_constraint(op.f("ck_provider_calls_outcome"), "provider_calls")
    op.create_check_constraint(
        op.f("ck_provider_calls_outcome"), "provider_calls", "outcome IN ('completed', 'failed')"
    )
    op.alter_column("provider_calls", "ended_at", nullable=False)
    op.drop_column("provider_calls", "cost")
    for name in ("job_id_id", "named_client_id", "rare_status_id", "rare_outcome_id", "task_type_id", "at"):
        op.drop_index(f"ix_requests_{name}", table_name="requests")
    op.create_index("ix_requests_at", "requests", ["at"], postgresql_using="brin")
    op.create_index("ix_requests_job_id", "requests", ["job_id"], postgresql_where=sa.text("job_id IS NOT NULL"))
    for name in ("prompt_tokens", "completion_tokens", "total_tokens", "cost", "ms"):
        op.drop_column("requests", f"saved_{name}")
