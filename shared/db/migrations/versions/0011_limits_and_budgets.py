"""Limits of keys and tenants, and budgets."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

DOCUMENT = postgresql.JSONB(none_as_null=True)


def upgrade() -> None:
    """Begin without limits. What was spent before counts to no budget."""
    op.add_column(
        "api_keys",
        sa.Column("limits", DOCUMENT, nullable=False, server_default="{}", comment="by the names of Limits' fields"),
    )
    op.create_table(
        "tenant_limits",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("limits", DOCUMENT, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("tenant", name="pk_tenant_limits"),
    )
    op.add_column(
        "jobs",
        sa.Column(
            "budgeted",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
            comment="its calls are paid from budgets",
        ),
    )
    op.create_index(
        "ix_jobs_live_tenant_key",
        "jobs",
        ["tenant", "key_id"],
        postgresql_where=sa.text("status IN ('queued', 'in_progress') AND key_id IS NOT NULL"),
    )
    _create_budgets()
    _create_reservations()


def downgrade() -> None:
    """Forget all limits, and what was spent of budgets."""
    op.drop_table("reservations")
    op.drop_table("budgets")
    op.drop_index("ix_jobs_live_tenant_key", table_name="jobs")
    op.drop_column("jobs", "budgeted")
    op.drop_table("tenant_limits")
    op.drop_column("api_keys", "limits")


def _create_budgets() -> None:
    op.create_table(
        "budgets",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False, comment="empty: of all keys of the tenant together"),
        sa.Column("period", sa.Text(), nullable=False, comment="day or month"),
        sa.Column("starts", sa.Date(), nullable=False, comment="the first day, in UTC"),
        sa.Column("tokens_limit", sa.BigInteger(), comment="as it was when something was reserved last; null: none"),
        sa.Column("tokens_reserved", sa.BigInteger(), nullable=False, comment="for jobs and calls that have not ended"),
        sa.Column("tokens_spent", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("dollars_limit", sa.Numeric()),
        sa.Column("dollars_reserved", sa.Numeric(), nullable=False),
        sa.Column("dollars_spent", sa.Numeric(), nullable=False, server_default="0"),
        sa.CheckConstraint("period IN ('day', 'month')", name=op.f("ck_budgets_period")),
        sa.PrimaryKeyConstraint("tenant", "key_id", "period", "starts", name="pk_budgets"),
    )
    op.create_index("ix_budgets_starts", "budgets", ["starts"])


def _create_reservations() -> None:
    op.create_table(
        "reservations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("call_id", sa.Uuid(), comment="the provider call that it pays; null: the next one of its job"),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="on which it was made, in UTC: whose budgets it counts to"),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("dollars", sa.Numeric(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reservations"),
    )
    op.create_index("ix_reservations_job_id", "reservations", ["job_id"])
