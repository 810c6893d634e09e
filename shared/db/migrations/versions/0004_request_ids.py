"""The ids of requests (X-Request-ID): on their records, and on the jobs that they made."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

VIEW = """
    CREATE VIEW request_log AS
    SELECT r.id, r.at, r.client, r.task_type, r.cache_key, r.outcome, r.status, r.latency_ms, r.job_id,{columns}
        coalesce(j.request, '{{}}'::jsonb) || coalesce(r.request, '{{}}'::jsonb) AS request,
        j.result AS response
    FROM requests r LEFT JOIN jobs j ON j.id = r.job_id
"""


def upgrade() -> None:
    """Add the columns, and show the request's in the view."""
    op.add_column("jobs", sa.Column("request_id", sa.Text(), comment="X-Request-ID of the request that made it"))
    op.add_column("requests", sa.Column("request_id", sa.Text(), comment="X-Request-ID: the client's, else ours"))
    op.create_index(
        "ix_requests_request_id_id",
        "requests",
        ["request_id", "id"],
        postgresql_where=sa.text("request_id IS NOT NULL"),
    )
    op.execute("DROP VIEW request_log")
    op.execute(VIEW.format(columns=" r.request_id,"))


def downgrade() -> None:
    """Forget them."""
    op.execute("DROP VIEW request_log")
    op.drop_index("ix_requests_request_id_id", table_name="requests")
    op.drop_column("requests", "request_id")
    op.drop_column("jobs", "request_id")
    op.execute(VIEW.format(columns=""))
