"""API keys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text(), nullable=False, comment="part of the key, and no secret"),
        sa.Column("name", sa.Text(), nullable=False, comment="in records of requests: who asked"),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column(
            "digest", sa.LargeBinary(), nullable=False, comment="sha256 of the whole key, which is stored nowhere"
        ),
        sa.Column("previous_digest", sa.LargeBinary(), comment="of the key before a rotation"),
        sa.Column("previous_until", TIME, comment="until when that one is valid too"),
        sa.Column("created_at", TIME, nullable=False, server_default=sa.func.now()),
        sa.Column("changed_at", TIME, nullable=False, server_default=sa.func.now()),
        sa.Column("rotated_at", TIME),
        sa.Column("expires_at", TIME),
        sa.Column("revoked_at", TIME),
        sa.Column("last_used_at", TIME, comment="up to half a minute behind"),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
    )
    op.create_index("ix_api_keys_changed_at", "api_keys", ["changed_at"])


def downgrade() -> None:
    """Forget all keys."""
    op.drop_table("api_keys")
