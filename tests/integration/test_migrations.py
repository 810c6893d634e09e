from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from shared.config import Settings
from shared.db.migrate import migrate
from shared.db.models import metadata


def test_the_migrations_make_exactly_the_tables_of_the_models(settings: Settings) -> None:
    engine = create_engine(settings.database_url)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    assert differences == []


def test_migrating_twice_changes_nothing(settings: Settings) -> None:
    migrate(settings.database_url)
    migrate(settings.database_url)
