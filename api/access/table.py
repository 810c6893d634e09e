"""The tables of keys, and of limits that all keys of a tenant share. The migrations create them."""

from sqlalchemy import Column, Index, LargeBinary, Table, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY

from shared.db.tables import Json, UtcDateTime, metadata

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True, comment="part of the key, and no secret"),
    Column("name", Text, nullable=False, comment="in records of requests: who asked"),
    Column("tenant", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("limits", Json, nullable=False, server_default=text("'{}'"), comment="by the names of Limits' fields"),
    Column("digest", LargeBinary, nullable=False, comment="sha256 of the whole key, which is stored nowhere"),
    Column("previous_digest", LargeBinary, comment="of the key before a rotation"),
    Column("previous_until", UtcDateTime, comment="until when that one is valid too"),
    Column("created_at", UtcDateTime, nullable=False, server_default=func.now()),
    Column("changed_at", UtcDateTime, nullable=False, server_default=func.now()),
    Column("rotated_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("last_used_at", UtcDateTime, comment="up to half a minute behind"),
    # What processes read to keep their copies complete. A revoked key keeps its row.
    Index("ix_api_keys_changed_at", "changed_at"),
)

tenant_limits = Table(
    "tenant_limits",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("limits", Json, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False, server_default=func.now()),
)
