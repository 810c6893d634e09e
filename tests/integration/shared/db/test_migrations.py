import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from api.access import table as _api_keys  # noqa: F401  adds itself to the metadata
from api.jobs.store import JobStore
from shared.config import Settings
from shared.db.engine import Database
from shared.db.migrate import migrate
from shared.db.tables import jobs as jobs_table
from shared.db.tables import metadata
from shared.domain.request import Request
from shared.domain.routes import Route, documents
from shared.jobs.errors import ContentLocked
from shared.jobs.job import Job
from shared.times import new_id
from tests.integration.asking import accepted, row, write
from workers.jobs.claims import Claims
from workers.jobs.content_locks import ContentLocks

OF_THE_VERSION_BEFORE = {"paying_key", "fallback_model"}
"""Columns that the next version drops."""

SHA256 = "5" * 64


def is_ours(_: object, name: str | None, *__: object) -> bool:
    return name not in OF_THE_VERSION_BEFORE


def test_the_migrations_make_exactly_the_tables_of_the_models(settings: Settings) -> None:
    engine = create_engine(settings.database_url)
    with engine.connect() as connection:
        differences = compare_metadata(
            MigrationContext.configure(connection, opts={"include_object": is_ours}), metadata
        )
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


def lock_as_the_version_before(database: Database, job: Job, key: str | None) -> None:
    write(database, "UPDATE jobs SET paying_key = :key WHERE id = :id", id=job.id, key=key)


def test_the_version_before_respects_a_lock_of_this_one(
    locks: ContentLocks, claimed: Callable[[], Job], database: Database
) -> None:
    locks.take(claimed(), "content", SHA256)
    with pytest.raises(IntegrityError):
        lock_as_the_version_before(database, claimed(), "content")


def test_this_version_respects_a_lock_of_the_one_before(
    locks: ContentLocks, claimed: Callable[[], Job], database: Database
) -> None:
    lock_as_the_version_before(database, claimed(), "content")
    with pytest.raises(ContentLocked):
        locks.take(claimed(), "content", SHA256)


def test_the_version_before_frees_a_lock(locks: ContentLocks, claimed: Callable[[], Job], database: Database) -> None:
    first = claimed()
    locks.take(first, "content", SHA256)
    lock_as_the_version_before(database, first, None)
    assert locks.take(claimed(), "content", SHA256)


def test_a_lock_that_this_version_frees_is_free_for_the_one_before(
    claims: Claims, claimed: Callable[[], Job], database: Database
) -> None:
    first = claimed()
    lock_as_the_version_before(database, first, "content")
    claims.requeue(first, 0, counted=True)
    assert tuple(row(database, "SELECT content_lock, paying_key FROM jobs")) == (None, None)


def fallbacks(database: Database) -> tuple[object, object]:
    """Return what the version before sees, and what this one does."""
    found = row(database, "SELECT fallback_model, fallbacks FROM jobs")
    return found.fallback_model, found.fallbacks


@pytest.mark.parametrize(
    ("routes", "seen"),
    [
        ((Route("simulated", "b"), Route("other", "c")), "b"),
        ((Route("other", "c"), Route("simulated", "b")), None),
        ((), None),
    ],
)
def test_the_version_before_sees_the_first_fallback_if_it_is_of_the_jobs_provider(
    jobs: JobStore, request_: Request, database: Database, routes: tuple[Route, ...], seen: str | None
) -> None:
    accepted(jobs, replace(request_, fallbacks=routes))
    assert fallbacks(database) == (seen, documents(routes) or None)


def test_this_version_sees_the_fallback_of_the_one_before_until_that_forbids_it(job: Job, database: Database) -> None:
    copied = ", ".join({each.name for each in jobs_table.columns} - {"id", "cache_key", "fallbacks"})
    write(
        database,
        f"INSERT INTO jobs (id, cache_key, fallback_model, {copied})"  # noqa: S608  of the table's own columns
        f" SELECT :other, 'another key', 'b', {copied} FROM jobs",
        other=new_id(),
    )
    write(database, "DELETE FROM jobs WHERE id = :id", id=job.id)
    assert fallbacks(database) == ("b", [{"provider": "simulated", "model": "b"}])
    write(database, "UPDATE jobs SET fallback_model = NULL")
    assert fallbacks(database) == (None, None)


@pytest.mark.parametrize("address", ["127.0.0.1:1", "no-such-host.invalid"])
def test_a_database_that_can_not_be_reached_is_one_plain_line(address: str) -> None:
    done = run(f"postgresql://user:hunter2@{address}/name")
    said = json.loads(done.stderr)
    assert (done.returncode, said["message"]) == (1, "The database was not migrated")
    assert address.partition(":")[0] in said["reason"]
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize("table", ["jobs", "requests", "provider_calls"])
def test_vacuum_comes_when_a_hundredth_of_a_large_table_has_changed(database: Database, table: str) -> None:
    found = row(database, "SELECT reloptions FROM pg_class WHERE oid = CAST(:table AS regclass)", table=table)
    assert "autovacuum_vacuum_scale_factor=0.01" in found.reloptions
