"""Prompt tokens that a provider knew from an earlier call, and bills at another price."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COLUMNS = {"jobs": "cached_tokens", "provider_calls": "cached_tokens", "requests": "saved_cached_tokens"}
SUMS = ("hourly_statistics", "daily_statistics")
COMMENT = "those of prompt_tokens that the provider knew from an earlier call"


def upgrade() -> None:
    """Add the counts: null where nobody counted, 0 in the sums."""
    for table, name in COLUMNS.items():
        comment = None if table == "requests" else COMMENT
        op.add_column(table, sa.Column(name, sa.Integer(), nullable=True, comment=comment))
    for table in SUMS:
        op.add_column(table, sa.Column("cached_tokens", sa.BIGINT(), server_default="0", nullable=False))


def downgrade() -> None:
    """Forget them."""
    for table in SUMS:
        op.drop_column(table, "cached_tokens")
    for table, name in COLUMNS.items():
        op.drop_column(table, name)
