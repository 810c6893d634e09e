"""Indexes in the order in which sweeps go: what is due by queue, pictures by their last use."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0003"
branch_labels = None
depends_on = None

QUEUED = "status = 'queued'"


def upgrade() -> None:
    """Create both; what is queued is little, so the old index of due jobs goes at once."""
    op.create_index("ix_jobs_queue_publish_at", "jobs", ["queue", "publish_at"], postgresql_where=sa.text(QUEUED))
    op.drop_index("ix_jobs_publish_at", table_name="jobs")
    op.create_index("ix_pictures_used_at", "pictures", ["used_at"])


def downgrade() -> None:
    """Go back to one index for all queues."""
    op.drop_index("ix_pictures_used_at", table_name="pictures")
    op.create_index("ix_jobs_publish_at", "jobs", ["publish_at"], postgresql_where=sa.text(QUEUED))
    op.drop_index("ix_jobs_queue_publish_at", table_name="jobs")
