"""The tables of the audit of hits. The migrations create them."""

from sqlalchemy import Column, Date, Index, Integer, Numeric, String, Table, Text, Uuid, func
from sqlalchemy.dialects.postgresql import BIGINT

from shared.db.tables import Json, UtcDateTime, metadata

audits = Table(
    "audits",
    metadata,
    Column("id", Uuid, primary_key=True, comment="contains the time of the hit"),
    Column("job_id", Uuid, nullable=False, comment="the job that made the answer"),
    Column("tenant", Text, nullable=False, comment="of the client that was served"),
    Column("namespace", Text, nullable=False),
    Column("task_type", Text, nullable=False),
    Column("queue", Text, nullable=False, comment="whose workers run it, when no job of a client is queued there"),
    Column("cache_key", String(64), nullable=False),
    Column("provider", Text, nullable=False, comment="who made the answer"),
    Column("model", Text, nullable=False),
    Column("request", Json, nullable=False, comment="input and options; the row is deleted with its verdict"),
    Column("result", Json, nullable=False, comment="the answer that was served"),
    Column("started_at", UtcDateTime, nullable=False, comment="of the job: purges void answers of earlier ones"),
    Column("completed_at", UtcDateTime, nullable=False, comment="of the answer: its age counts from here"),
    Column("attempts", Integer, nullable=False, server_default="0", comment="the fence of who runs it"),
    Column("due_at", UtcDateTime, nullable=False, server_default=func.now(), comment="while it runs: end of the lease"),
    # One audit of an answer at a time, however often the answer is served.
    Index("uq_audits_job_id", "job_id", unique=True),
    Index("ix_audits_queue_id", "queue", "id"),
)

audit_spending = Table(
    "audit_spending",
    metadata,
    Column("day", Date, primary_key=True, comment="in UTC"),
    Column("dollars", Numeric, nullable=False, comment="what calls cost, or may cost until that is known"),
)


def _drift(name: str, bucket: str) -> Table:
    return Table(
        name,
        metadata,
        Column(bucket, UtcDateTime, primary_key=True, comment="in which the audit ended"),
        Column("tenant", Text, primary_key=True),
        Column("task_type", Text, primary_key=True),
        Column("age", Integer, primary_key=True, comment="seconds at which the class of the answer's age begins"),
        Column("verdict", Text, primary_key=True, comment="of shared/domain/drift.py"),
        Column("audits", BIGINT, nullable=False),
        Column("dollars", Numeric, nullable=False),
    )


hourly_drift = _drift("hourly_drift", "hour")
daily_drift = _drift("daily_drift", "day")
