import json
import os
import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from shared.config import Settings
from shared.db.migrate import migrate
from shared.db.tables import metadata


def test_the_migrations_make_exactly_the_tables_of_the_models(settings: Settings) -> None:
    engine = create_engine(settings.database_url)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    assert differences == []


def test_migrating_twice_changes_nothing(settings: Settings) -> None:
    migrate(settings.database_url)
    migrate(settings.database_url)


def run(database_url: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "shared.db.migrate"]
    environment = {**os.environ, "DATABASE_URL": database_url, "LOG_FORMAT": "json"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)


def test_a_schema_of_a_newer_version_is_left_as_it_is(settings: Settings) -> None:
    engine = create_engine(settings.database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'of_tomorrow'"))
    done = run(settings.database_url)
    with engine.begin() as connection:
        found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    engine.dispose()
    assert (done.returncode, found) == (0, "of_tomorrow")
    assert json.loads(done.stderr)["message"] == "The schema is of a newer version, and stays as it is"


@pytest.mark.parametrize("address", ["127.0.0.1:1", "no-such-host.invalid"])
def test_a_database_that_can_not_be_reached_is_one_plain_line(address: str) -> None:
    done = run(f"postgresql://user:hunter2@{address}/name")
    said = json.loads(done.stderr)
    assert (done.returncode, said["message"]) == (1, "The database was not migrated")
    assert address.partition(":")[0] in said["reason"]
    assert "hunter2" not in done.stderr
