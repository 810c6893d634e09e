"""Indexes in the order in which sweeps go: what is due by queue, pictures by their last use."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

QUEUED = "status = 'queued'"


def upgrade() -> None:
    """Create both; few jobs are queued, and so the index of due jobs is replaced at once."""
    columns = ["queue", "publish_at", "id"]
    op.create_index("ix_jobs_queue_publish_at_id", "jobs", columns, postgresql_where=sa.text(QUEUED))
    op.drop_index("ix_jobs_publish_at", table_name="jobs")
    op.create_index("ix_pictures_used_at_sha256", "pictures", ["used_at", "sha256"])


def downgrade() -> None:
    """Go back to one index for all queues."""
    op.drop_index("ix_pictures_used_at_sha256", table_name="pictures")
    op.create_index("ix_jobs_publish_at", "jobs", ["publish_at"], postgresql_where=sa.text(QUEUED))
    op.drop_index("ix_jobs_queue_publish_at_id", table_name="jobs")
