"""The audit of hits: what is to be asked again, what that costs a day, and how answers drift."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
JSON = JSONB(none_as_null=True)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "audits",
        sa.Column("id", sa.Uuid(), nullable=False, comment="contains the time of the hit"),
        sa.Column("job_id", sa.Uuid(), nullable=False, comment="the job that made the answer"),
        sa.Column("tenant", sa.Text(), nullable=False, comment="of the client that was served"),
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.Column("task_type", sa.Text(), nullable=False),
        sa.Column(
            "queue",
            sa.Text(),
            nullable=False,
            comment="whose workers run it, when no job of a client is queued there",
        ),
        sa.Column("cache_key", sa.String(64), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False, comment="who made the answer"),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("request", JSON, nullable=False, comment="input and options; the row is deleted with its verdict"),
        sa.Column("result", JSON, nullable=False, comment="the answer that was served"),
        sa.Column("started_at", TIME, nullable=False, comment="of the job: purges void answers of earlier ones"),
        sa.Column("completed_at", TIME, nullable=False, comment="of the answer: its age counts from here"),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False, comment="the fence of who runs it"),
        sa.Column(
            "due_at", TIME, server_default=sa.func.now(), nullable=False, comment="while it runs: end of the lease"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_audits"),
    )
    op.create_index("uq_audits_job_id", "audits", ["job_id"], unique=True)
    op.create_index("ix_audits_queue_id", "audits", ["queue", "id"])
    op.create_table(
        "audit_spending",
        sa.Column("day", sa.Date(), nullable=False, comment="in UTC"),
        sa.Column("dollars", sa.Numeric(), nullable=False, comment="what calls cost, or may cost until that is known"),
        sa.PrimaryKeyConstraint("day", name="pk_audit_spending"),
    )
    for table, bucket in (("hourly_drift", "hour"), ("daily_drift", "day")):
        op.create_table(
            table,
            sa.Column(bucket, TIME, nullable=False, comment="in which the audit ended"),
            sa.Column("tenant", sa.Text(), nullable=False),
            sa.Column("task_type", sa.Text(), nullable=False),
            sa.Column(
                "age",
                sa.Integer(),
                nullable=False,
                autoincrement=False,
                comment="seconds at which the class of the answer's age begins",
            ),
            sa.Column("verdict", sa.Text(), nullable=False, comment="of shared/domain/drift.py"),
            sa.Column("audits", sa.BigInteger(), nullable=False),
            sa.Column("dollars", sa.Numeric(), nullable=False),
            sa.PrimaryKeyConstraint(bucket, "tenant", "task_type", "age", "verdict", name=f"pk_{table}"),
        )


def downgrade() -> None:
    """Drop them."""
    for table in ("daily_drift", "hourly_drift", "audit_spending", "audits"):
        op.drop_table(table)
