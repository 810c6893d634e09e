"""The table `responses`: what responses were asked with. Their jobs have the answers. The migrations create it."""

from sqlalchemy import Boolean, Column, Integer, Table, Text, Uuid

from shared.db.tables import Json, metadata

responses = Table(
    "responses",
    metadata,
    Column("id", Uuid, primary_key=True, comment="contains the time of the call, as all our ids do"),
    Column("tenant", Text, nullable=False),
    Column("job_id", Uuid, nullable=False, comment="the job that makes, or has made, the answer"),
    Column("previous_id", Uuid, comment="the response that it goes on from"),
    Column("background", Boolean, nullable=False),
    Column("model", Text, nullable=False, comment="as the client named it"),
    Column("items", Json, nullable=False, comment="its own input"),
    Column("item_bytes", Integer, nullable=False, comment="the size of items as JSON"),
    Column("parameters", Json, nullable=False, comment="what else it was asked with, as its document shows it"),
    Column("hit", Json, comment="what it saved, and which tier had it; null: its job made the answer"),
)
