"""A background loop that keeps failing is seen in health and metrics, and heals by itself."""

from collections.abc import Iterator

import pytest
from sqlalchemy.exc import DBAPIError

from api.bootstrap import ApiServices
from tests.installation import Installation
from tests.integration.api_client import Api
from tests.integration.eventually import eventually

HEALS_SECONDS = 10.0
FAILING = 'askonce_background_failing{loop="purge_marks"} 1.0'


def rename(services: ApiServices, old: str, new: str) -> None:
    with services.database.begin() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")


@pytest.fixture
def before_migration(installation: Installation) -> Iterator[Api]:
    """An API that has started although the table of purges is not there."""
    api = installation.api
    rename(api.services, "purges", "elsewhere")
    api.services.lifecycle.started()
    api.listen()
    yield api
    try:
        rename(api.services, "elsewhere", "purges")
    except DBAPIError:
        assert api.services.cache.purge_marks.loaded


def test_every_loop_is_shown(api: Api) -> None:
    assert set(api.get("/api/v1/health").json["background"]) >= {
        "listener",
        "purge_marks",
        "request_log",
        "database_watchdog",
        "probe postgres",
        "probe redis",
        "probe broker",
    }


def test_a_loop_that_keeps_failing_is_seen_and_heals(before_migration: Api) -> None:
    api = before_migration
    failing = eventually(lambda: _purge_marks(api)["state"] == "failing" and _purge_marks(api))
    assert failing["last_error"] == "ProgrammingError"
    assert failing["failures"] >= 1
    health = api.get("/api/v1/health").json
    assert (health["status"], health["background"]["listener"]["state"]) == ("degraded", "ok")
    assert FAILING in api.get("/metrics").text
    assert 'askonce_background_failures_total{loop="purge_marks"}' in api.get("/metrics").text
    rename(api.services, "elsewhere", "purges")
    eventually(lambda: _purge_marks(api)["state"] == "ok", HEALS_SECONDS)
    assert FAILING not in api.get("/metrics").text


def _purge_marks(api: Api) -> dict[str, object]:
    found: dict[str, object] = api.get("/api/v1/health").json["background"]["purge_marks"]
    return found
