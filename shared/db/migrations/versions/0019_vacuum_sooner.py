"""VACUUM of the large tables after one row in a hundred has changed, not after one in five."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

LARGE = ("jobs", "requests", "provider_calls")
SHARE = "autovacuum_vacuum_scale_factor"


def upgrade() -> None:
    """Set the share for the tables that grow with traffic; that takes no time.

    Rows that are done stay in the indexes of sweeps until VACUUM, and each sweep passes over them: once a second.
    """
    for table in LARGE:
        op.execute(f"ALTER TABLE {table} SET ({SHARE} = 0.01)")


def downgrade() -> None:
    """Leave it to the server's setting."""
    for table in LARGE:
        op.execute(f"ALTER TABLE {table} RESET ({SHARE})")
