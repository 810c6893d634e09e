"""The table `job_subscribers`: the keys that joined a job of another. The migrations create it."""

from sqlalchemy import Boolean, Column, ForeignKeyConstraint, Index, Table, Text, Uuid, false

from shared.db.tables import metadata

job_subscribers = Table(
    "job_subscribers",
    metadata,
    Column("job_id", Uuid, primary_key=True),
    Column("key_id", Text, primary_key=True, comment="that joined the job; who made it is in the job's row"),
    Column("tenant", Text, nullable=False),
    Column("withdrawn", Boolean, nullable=False, server_default=false(), comment="true: this key has cancelled"),
    ForeignKeyConstraint(["job_id"], ["jobs.id"], ondelete="CASCADE"),
    # The jobs that a tenant joined, for its list.
    Index("ix_job_subscribers_tenant_job_id", "tenant", "job_id"),
)
