"""An index of queued jobs by their clients, so that workers find the oldest job of each."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

QUEUED_WITH_KEY = "status = 'queued' AND key_id IS NOT NULL"


def upgrade() -> None:
    """Create it: few jobs are queued, and jobs without a key are not in it."""
    columns = ["queue", "tenant", "key_id", "not_before", "id"]
    op.create_index("ix_jobs_queue_client", "jobs", columns, postgresql_where=sa.text(QUEUED_WITH_KEY))


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_jobs_queue_client", table_name="jobs")
