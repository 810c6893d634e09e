"""What a job's picture turned out to be, and which claim is the newest."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

CONTENT_COMMENT = "what the picture turned out to be, once it was fetched"
CLAIM_COMMENT = "of the newest claim: who made it knows it again if the commit was not confirmed"


def upgrade() -> None:
    """Add what a claim writes down for the next one, or for itself."""
    op.add_column("jobs", sa.Column("content_sha256", sa.String(64), nullable=True, comment=CONTENT_COMMENT))
    op.add_column("jobs", sa.Column("claim_id", sa.Uuid(), nullable=True, comment=CLAIM_COMMENT))


def downgrade() -> None:
    """Forget it."""
    op.drop_column("jobs", "claim_id")
    op.drop_column("jobs", "content_sha256")
