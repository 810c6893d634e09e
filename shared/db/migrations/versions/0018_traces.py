"""Traces: the span that a job's attempts belong to, and the trace of a request."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

VIEW = """
    CREATE VIEW request_log AS
    SELECT r.id, r.at, r.client, r.task_type, r.cache_key, r.outcome, r.status, r.latency_ms, r.job_id, r.request_id,
        {columns}coalesce(j.request, '{{}}'::jsonb) || coalesce(r.request, '{{}}'::jsonb) AS request,
        j.result AS response
    FROM requests r LEFT JOIN jobs j ON j.id = r.job_id
"""


def upgrade() -> None:
    """Add the columns, without a default that would rewrite rows, and show the request's in the view."""
    comment = "the span, of W3C's Trace Context, that its attempts belong to"
    op.add_column("jobs", sa.Column("traceparent", sa.Text(), comment=comment))
    comment = "of W3C's Trace Context, where there is a trace"
    op.add_column("requests", sa.Column("trace_id", sa.Uuid(), comment=comment))
    op.create_index(
        "ix_requests_trace_id_id",
        "requests",
        ["trace_id", "id"],
        postgresql_where=sa.text("trace_id IS NOT NULL"),
    )
    op.execute("DROP VIEW request_log")
    op.execute(VIEW.format(columns="r.trace_id, "))


def downgrade() -> None:
    """Forget them."""
    op.execute("DROP VIEW request_log")
    op.drop_index("ix_requests_trace_id_id", table_name="requests")
    op.drop_column("requests", "trace_id")
    op.drop_column("jobs", "traceparent")
    op.execute(VIEW.format(columns=""))
