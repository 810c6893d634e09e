"""`paying_key` becomes `content_lock`; the version before goes on with the old name for as long as it runs."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Whichever name is written, the other one follows, so that workers of both versions keep each other out. The index
# is on `content_lock` alone. The column, the trigger and its function go one version later.
SAME_LOCK = """
    CREATE FUNCTION jobs_same_lock() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.paying_key IS DISTINCT FROM OLD.paying_key THEN
            NEW.content_lock := NEW.paying_key;
        ELSE
            NEW.paying_key := NEW.content_lock;
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER jobs_same_lock BEFORE UPDATE OF paying_key, content_lock ON jobs FOR EACH ROW
        WHEN (OLD.paying_key IS DISTINCT FROM NEW.paying_key OR OLD.content_lock IS DISTINCT FROM NEW.content_lock)
        EXECUTE FUNCTION jobs_same_lock();
"""


def upgrade() -> None:
    """Rename column and index, which takes no time, and add the old name again."""
    op.alter_column("jobs", "paying_key", new_column_name="content_lock")
    op.execute("ALTER INDEX uq_jobs_paying_key RENAME TO uq_jobs_content_lock")
    comment = "content_lock, for the version before: goes with the next one"
    op.add_column("jobs", sa.Column("paying_key", sa.String(64), nullable=True, comment=comment))
    op.execute("UPDATE jobs SET paying_key = content_lock WHERE status = 'in_progress' AND content_lock IS NOT NULL")
    op.execute(SAME_LOCK)


def downgrade() -> None:
    """Go back to the old name."""
    op.execute("DROP TRIGGER jobs_same_lock ON jobs")
    op.execute("DROP FUNCTION jobs_same_lock")
    op.drop_column("jobs", "paying_key")
    op.execute("ALTER INDEX uq_jobs_content_lock RENAME TO uq_jobs_paying_key")
    op.alter_column("jobs", "content_lock", new_column_name="paying_key")
