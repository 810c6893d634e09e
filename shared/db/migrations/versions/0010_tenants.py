"""Tenants: of jobs, requests, provider calls and statistics; and the keys that joined a job of another."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

OWNED = ("requests", "provider_calls")
STATISTICS = {"hourly_statistics": "hour", "daily_statistics": "day"}
NAMED = "tenant <> 'default'"


def upgrade() -> None:
    """Give all that exists to the tenant `default`. A constant default takes no time, however long a table is."""
    op.add_column("jobs", _tenant(comment="of the client that made it"))
    op.add_column(
        "jobs", sa.Column("key_id", sa.Text(), comment="that client's API key; null where no keys are asked for")
    )
    for table in (*OWNED, *STATISTICS):
        op.add_column(table, _tenant())
    for table, bucket in STATISTICS.items():
        op.drop_constraint(f"pk_{table}", table)
        op.create_primary_key(f"pk_{table}", table, [bucket, "tenant", "task_type", "outcome", "code"])
    for table in ("jobs", "requests"):
        op.create_index(f"ix_{table}_named_tenant_id", table, ["tenant", "id"], postgresql_where=sa.text(NAMED))
    op.create_table(
        "job_subscribers",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False, comment="that joined the job; who made it is in the job's row"),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column(
            "withdrawn",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
            comment="true: this key has cancelled",
        ),
        sa.PrimaryKeyConstraint("job_id", "key_id", name="pk_job_subscribers"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], ondelete="CASCADE"),
    )
    op.create_index("ix_job_subscribers_tenant_job_id", "job_subscribers", ["tenant", "job_id"])


def downgrade() -> None:
    """Forget whose they are. Statistics remain of the tenant `default` alone."""
    op.drop_table("job_subscribers")
    for table in ("jobs", "requests"):
        op.drop_index(f"ix_{table}_named_tenant_id", table_name=table)
    for table, bucket in STATISTICS.items():
        op.execute(f"DELETE FROM {table} WHERE {NAMED}")  # noqa: S608  built of constants
        op.drop_constraint(f"pk_{table}", table)
        op.create_primary_key(f"pk_{table}", table, [bucket, "task_type", "outcome", "code"])
    for table in (*OWNED, *STATISTICS):
        op.drop_column(table, "tenant")
    op.drop_column("jobs", "key_id")
    op.drop_column("jobs", "tenant")


def _tenant(comment: str | None = None) -> sa.Column[str]:
    return sa.Column("tenant", sa.Text(), nullable=False, server_default="default", comment=comment)
