"""The request log of a real API process whose servers go away, and which is stopped and killed."""

import time
from collections.abc import Callable
from contextlib import suppress

import requests

from shared.config import Settings
from shared.db.engine import Database
from shared.errors import ServerDown
from shared.request_log.overflow import RequestOverflow
from shared.request_log.writer import RequestWriter
from tests.api_process import ApiProcess, Traffic
from tests.integration.asking import row
from tests.integration.outages import database_away, frozen
from tests.servers import Servers
from tests.stack import eventually
from workers.maintenance.overflow import drain

Open = Callable[..., ApiProcess]

NOT_CACHED, NOT_RECORDED = 504, 503
ENOUGH = 200
WAITING = {"backlog": 0, "overflow": ENOUGH, "dropped": 0}
WITHIN_SECONDS = 1.0
"""A record is written within this time after its answer.

This is many times the pause between two flushes, so a slow machine passes. An API that kept records back until there
are more of them would not.
"""


def recorded(database: Database) -> int:
    return int(row(database, "SELECT count(*) AS count FROM requests").count)


def counted(database: Database) -> int:
    return int(row(database, "SELECT coalesce(sum(requests), 0) AS count FROM hourly_statistics").count)


def everything(database: Database, overflow: RequestOverflow) -> int:
    """Count the records once those that were put aside are written, as far as Redis answers by now."""
    with suppress(ServerDown):
        list(drain(overflow, RequestWriter(database)))
    return recorded(database)


def some_answers(traffic: Traffic) -> None:
    """Wait until `ENOUGH` more answers have come."""
    wanted = len(traffic.answered) + ENOUGH
    eventually(lambda: len(traffic.answered) >= wanted)


def test_an_api_that_is_killed_loses_what_it_answered_in_its_last_moment_only(
    open_process: Open, database: Database
) -> None:
    api = open_process()
    with api.under_traffic() as traffic:
        eventually(lambda: traffic.before(time.monotonic() - WITHIN_SECONDS) >= ENOUGH)
        api.kill()
        killed = time.monotonic()
    assert recorded(database) >= traffic.before(killed - WITHIN_SECONDS) >= ENOUGH


def test_an_api_that_is_told_to_stop_loses_nothing(open_process: Open, database: Database) -> None:
    api = open_process()
    with api.under_traffic() as traffic:
        some_answers(traffic)
        api.stop()
    assert recorded(database) >= len(traffic.answered) >= ENOUGH


def test_an_api_that_is_told_to_stop_without_its_database_loses_nothing(
    open_process: Open, database: Database, overflow: RequestOverflow, settings: Settings
) -> None:
    api = open_process()
    with database_away(settings.database_url), api.under_traffic() as traffic:
        some_answers(traffic)
        api.stop()
    assert overflow.length() > 0
    list(drain(overflow, RequestWriter(database)))
    assert recorded(database) >= len(traffic.answered) >= ENOUGH


def test_with_the_database_away_records_wait_in_redis_and_are_written_once(
    open_process: Open, database: Database, overflow: RequestOverflow, settings: Settings
) -> None:
    api = open_process()
    with database_away(settings.database_url):
        traffic = api.ask_often(ENOUGH)
        eventually(lambda: overflow.length() == ENOUGH)
        # What health finds is shared by all who ask within a second.
        eventually(lambda: api.get("/api/v1/health")["request_log"] == WAITING)
        assert f"askonce_request_log_overflowed_total {ENOUGH}.0" in requests.get(f"{api.url}/metrics", timeout=10).text
    assert sum(drain(overflow, RequestWriter(database))) == ENOUGH
    assert (recorded(database), counted(database)) == (ENOUGH, ENOUGH)
    assert traffic.statuses() == {NOT_CACHED}


def test_with_a_frozen_database_calls_are_answered_and_their_records_kept(
    open_process: Open, database: Database, servers: Servers, overflow: RequestOverflow
) -> None:
    api = open_process()
    with frozen(servers.postgres):
        traffic = api.ask_often(ENOUGH)
    assert traffic.statuses() == {NOT_CACHED}
    eventually(lambda: everything(database, overflow) >= ENOUGH)
    assert (recorded(database), counted(database)) == (ENOUGH, ENOUGH)


def test_with_redis_away_records_are_written_as_ever(open_process: Open, database: Database, servers: Servers) -> None:
    api = open_process()
    with frozen(servers.valkey):
        api.ask_often(ENOUGH)
        eventually(lambda: recorded(database) == ENOUGH)
        # Health is a second old at most, and the calls take less.
        eventually(lambda: api.get("/api/v1/health")["request_log"]["overflow"] is None)
        assert api.get("/api/v1/health")["request_log"] == {"backlog": 0, "overflow": None, "dropped": 0}


def test_with_both_away_records_wait_in_the_process(
    open_process: Open, database: Database, servers: Servers, settings: Settings, overflow: RequestOverflow
) -> None:
    api = open_process()
    with frozen(servers.valkey), database_away(settings.database_url):
        api.ask_often(ENOUGH)
        assert api.get("/api/v1/health")["request_log"]["backlog"] == ENOUGH
        assert f"askonce_request_log_backlog {ENOUGH}.0" in requests.get(f"{api.url}/metrics", timeout=10).text
    eventually(lambda: everything(database, overflow) >= ENOUGH)
    assert (recorded(database), counted(database)) == (ENOUGH, ENOUGH)


def test_a_durable_log_has_every_answered_call_when_the_api_is_killed(open_process: Open, database: Database) -> None:
    api = open_process(REQUEST_LOG_DURABLE="true")
    with api.under_traffic() as traffic:
        some_answers(traffic)
        api.kill()
    assert recorded(database) >= len(traffic.answered) >= ENOUGH


def test_a_durable_log_gives_no_answer_that_it_can_keep_nowhere(
    open_process: Open, database: Database, servers: Servers, settings: Settings, overflow: RequestOverflow
) -> None:
    api = open_process(REQUEST_LOG_DURABLE="true")
    with frozen(servers.valkey), database_away(settings.database_url):
        assert api.ask_often(3).statuses() == {NOT_RECORDED}
    eventually(lambda: everything(database, overflow) >= 3)
    assert row(database, "SELECT DISTINCT outcome, status, request->>'error' AS error FROM requests")._asdict() == {
        "outcome": "error",
        "status": NOT_RECORDED,
        "error": "request_not_recorded",
    }
