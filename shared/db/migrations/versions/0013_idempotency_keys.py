"""The keys by which clients say that two calls are one (`Idempotency-Key`)."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create their table."""
    op.create_table(
        "idempotency_keys",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column(
            "key_id", sa.Text(), nullable=False, comment="of the client's API key; empty where no keys are asked for"
        ),
        sa.Column("idempotency_key", sa.Text(), nullable=False, comment="as the client sent it"),
        sa.Column("cache_key", sa.String(64), nullable=False, comment="of the request that it came with first"),
        sa.Column("job_id", sa.Uuid(), comment="the job that answers; null while the first call is being accepted"),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("tenant", "key_id", "idempotency_key", name="pk_idempotency_keys"),
    )
    op.create_index("ix_idempotency_keys_claimed_at", "idempotency_keys", ["claimed_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("idempotency_keys")
