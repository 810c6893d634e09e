"""The table `idempotency_keys`: of which call each key came with. The migrations create it."""

from sqlalchemy import Column, Index, String, Table, Text, Uuid, func

from shared.db.tables import UtcDateTime, metadata

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("key_id", Text, primary_key=True, comment="of the client's API key; empty where no keys are asked for"),
    Column("idempotency_key", Text, primary_key=True, comment="as the client sent it"),
    Column("cache_key", String(64), nullable=False, comment="of the request that it came with first"),
    Column("job_id", Uuid, comment="the job that answers; null while the first call is being accepted"),
    Column("claimed_at", UtcDateTime, nullable=False, server_default=func.now()),
    # Pruning by age.
    Index("ix_idempotency_keys_claimed_at", "claimed_at"),
)
