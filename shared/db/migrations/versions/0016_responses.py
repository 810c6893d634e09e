"""Responses (`/v1/responses`): what they were asked with. Their jobs have the answers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create their table."""
    op.create_table(
        "responses",
        sa.Column("id", sa.Uuid(), nullable=False, comment="contains the time of the call, as all our ids do"),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False, comment="the job that makes, or has made, the answer"),
        sa.Column("previous_id", sa.Uuid(), comment="the response that it goes on from"),
        sa.Column("background", sa.Boolean(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False, comment="as the client named it"),
        sa.Column("items", JSONB(none_as_null=True), nullable=False, comment="its own input"),
        sa.Column("item_bytes", sa.Integer(), nullable=False, comment="the size of items as JSON"),
        sa.Column(
            "parameters",
            JSONB(none_as_null=True),
            nullable=False,
            comment="what else it was asked with, as its document shows it",
        ),
        sa.Column(
            "hit",
            JSONB(none_as_null=True),
            comment="what it saved, and which tier had it; null: its job made the answer",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_responses"),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("responses")
