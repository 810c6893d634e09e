"""The tables of budgets. The migrations create them."""

from sqlalchemy import CheckConstraint, Column, Date, Index, Numeric, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import BIGINT

from shared.db.tables import metadata

budgets = Table(
    "budgets",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("key_id", Text, primary_key=True, comment="empty: of all keys of the tenant together"),
    Column("period", Text, primary_key=True, comment="day or month"),
    Column("starts", Date, primary_key=True, comment="the first day, in UTC"),
    Column("tokens_limit", BIGINT, comment="as it was when something was reserved last; null: none"),
    Column("tokens_reserved", BIGINT, nullable=False, comment="for jobs and calls that have not ended"),
    Column("tokens_spent", BIGINT, nullable=False, server_default="0"),
    Column("dollars_limit", Numeric),
    Column("dollars_reserved", Numeric, nullable=False),
    Column("dollars_spent", Numeric, nullable=False, server_default="0"),
    CheckConstraint("period IN ('day', 'month')", name="period"),
    Index("ix_budgets_starts", "starts"),
)

reservations = Table(
    "reservations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("job_id", Uuid, nullable=False),
    Column("call_id", Uuid, comment="the provider call that it pays; null: the next one of its job"),
    Column("tenant", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("day", Date, nullable=False, comment="on which it was made, in UTC: whose budgets it counts to"),
    Column("tokens", BIGINT, nullable=False),
    Column("dollars", Numeric, nullable=False),
    Index("ix_reservations_job_id", "job_id"),
)
