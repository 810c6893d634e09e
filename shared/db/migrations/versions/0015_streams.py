"""Whether a client of a job wants its answer in pieces, while it is made."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it. A constant default rewrites no row."""
    comment = "a client wants the answer in pieces"
    column = sa.Column("streams", sa.Boolean(), nullable=False, server_default=sa.false(), comment=comment)
    op.add_column("jobs", column)


def downgrade() -> None:
    """Drop it."""
    op.drop_column("jobs", "streams")
