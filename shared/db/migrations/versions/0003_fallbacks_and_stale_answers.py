"""Jobs that another model may answer, and jobs that ended with a stale answer."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

FALLBACK_COMMENT = "answers when model can't; null: the request named its model, or none is set"
STALE_COMMENT = "true: the result was past its freshness, and the provider had failed"


def upgrade() -> None:
    """Add what a job has to know of both."""
    op.add_column("jobs", sa.Column("fallback_model", sa.Text(), nullable=True, comment=FALLBACK_COMMENT))
    op.add_column(
        "jobs", sa.Column("stale", sa.Boolean(), nullable=False, server_default=sa.false(), comment=STALE_COMMENT)
    )


def downgrade() -> None:
    """Forget it."""
    op.drop_column("jobs", "stale")
    op.drop_column("jobs", "fallback_model")
