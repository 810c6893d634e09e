"""Whoever is refused as fast as it can send fills no table, and every one of its calls is in the statistics."""

from collections import Counter
from typing import Any

import pytest

from shared.db.engine import Database
from tests.installation import Installation
from tests.integration.asking import row
from tests.integration.eventually import eventually
from tests.integration.key_world import KeyWorld, bearer

REFUSED = 40
OF_EACH_KIND = {"invalid_request": REFUSED, "insufficient_scope": REFUSED}


@pytest.fixture
def besieged(installation: Installation) -> KeyWorld:
    """An API whose clients were refused: some by what they sent, some by their key."""
    world = KeyWorld(installation, REFUSED_RECORDS_PER_SECOND="0")
    asks, reads = (bearer(world.key(scope)) for scope in ("predict", "read"))
    for _ in range(REFUSED):
        assert world.api.post({"task_type": "chat"}, **asks).status_code == 422
        assert world.api.post({"task_type": "chat"}, **reads).status_code == 403
    return world


def errors_in_statistics(world: KeyWorld) -> Any:
    """Write what is due, and return what the statistics say by now."""
    assert world.api.services.request_log.flush()
    return world.api.get("/api/v1/statistics", **world.admin).json["totals"]


def test_refused_calls_share_rows_and_every_one_is_counted(besieged: KeyWorld, database: Database) -> None:
    totals = eventually(
        lambda: found if (found := errors_in_statistics(besieged))["errors"] == OF_EACH_KIND else None  # type: ignore[index]
    )
    assert (totals["requests"], totals["error"]) == (2 * REFUSED, 2 * REFUSED)
    assert row(database, "SELECT count(*) AS rows FROM requests").rows < REFUSED


def test_a_record_says_for_how_many_calls_it_stands(besieged: KeyWorld) -> None:
    def by_error() -> Counter[str]:
        assert besieged.api.services.request_log.flush()
        listed = besieged.api.get("/api/v1/requests?limit=100", **besieged.admin).json["requests"]
        return sum((Counter({each["error"]: each["calls"]}) for each in listed), Counter[str]())

    eventually(lambda: by_error() == OF_EACH_KIND)


def test_the_metrics_count_the_calls_without_a_row(besieged: KeyWorld) -> None:
    metrics = besieged.api.get("/metrics", **besieged.admin).text
    assert f"askonce_request_log_counted_total {2 * REFUSED}.0" in metrics


def test_with_a_durable_log_too_refused_calls_share_rows(installation: Installation, database: Database) -> None:
    api = installation.open_api(installation.configure(REQUEST_LOG_DURABLE="true", REFUSED_RECORDS_PER_SECOND="0"))
    assert api.post({}).status_code == 422
    assert row(database, "SELECT count(*) AS rows FROM requests").rows == 0
    api.services.request_log.close()
    assert row(database, "SELECT sum(requests)::int AS calls FROM hourly_statistics").calls == 1
