"""Alembic runs this for every migration: one transaction, one migrator at a time."""

from alembic import context
from sqlalchemy import create_engine, pool, text

from shared.db.tables import metadata

MIGRATION_LOCK = 7_268_011_934
"""An advisory lock's number; any, but always the same."""

engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        context.run_migrations()
engine.dispose()
