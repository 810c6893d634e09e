import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.db.engine import Database
from shared.request_writer import RequestWriter
from shared.statistics import StatisticsStore
from shared.times import now, rfc3339
from tests.integration.asking import an_id, row, write

PROVIDER_CALL = """
    INSERT INTO provider_calls (id, job_id, attempt, task_type, provider, model, outcome, started_at, ended_at,
        prompt_tokens, completion_tokens, total_tokens, error_code)
    SELECT gen_random_uuid(), gen_random_uuid(), 1, 'chat', 'groq', 'm', :outcome, now(), :ended_at, 30, 20, 50,
        CASE WHEN :outcome = 'failed' THEN 'provider_unavailable' END
    FROM generate_series(1, :number)
"""


@pytest.fixture
def store(database: Database) -> StatisticsStore:
    return StatisticsStore(database)


def record(database: Database, at: datetime | None = None, latency_ms: float = 4.0, **outcomes: int) -> None:
    moment = at or now()
    common = {
        "at": rfc3339(moment),
        "client": "anonymous",
        "status": 200,
        "latency_ms": latency_ms,
        "task_type": "chat",
    }
    records = [
        {**common, "id": str(an_id(moment)), "outcome": outcome}
        for outcome, number in outcomes.items()
        for _ in range(number)
    ]
    RequestWriter(database).write(json.dumps(records))


def call(database: Database, number: int, outcome: str = "completed", ended_at: datetime | None = None) -> None:
    write(database, PROVIDER_CALL, number=number, outcome=outcome, ended_at=ended_at or now())


def totals(store: StatisticsStore) -> dict[str, Any]:
    return store.read(now() - timedelta(days=6)).totals


def test_nothing_at_all_is_zero_everywhere(store: StatisticsStore) -> None:
    found = totals(store)
    assert found.pop("latency_ms") == {"p50": None, "p95": None, "p99": None}
    assert set(found.values()) == {0}


def test_totals_count_every_outcome(store: StatisticsStore, database: Database) -> None:
    outcomes = {"memcached": 6, "redis": 5, "joined": 4, "bypass": 3, "miss": 2, "error": 1}
    record(database, **outcomes)
    found = totals(store)
    assert {name: found[name] for name in outcomes} == outcomes
    assert found["requests"] == 21


def test_the_hit_ratio_leaves_out_errors_and_bypasses(store: StatisticsStore, database: Database) -> None:
    record(database, memcached=2, redis=1, joined=1, miss=2, bypass=7, error=9)
    assert totals(store)["hit_ratio"] == pytest.approx(3 / 6)


def test_errors_alone_have_a_hit_ratio_of_zero(store: StatisticsStore, database: Database) -> None:
    record(database, error=3)
    assert totals(store)["hit_ratio"] == 0


def test_the_series_has_a_row_a_day(store: StatisticsStore, database: Database) -> None:
    today = now()
    record(database, today, miss=1)
    record(database, today - timedelta(days=2), miss=3)
    series = store.read(today - timedelta(days=6)).series
    assert [(day["date"], day["requests"]) for day in series] == [
        ((today - timedelta(days=2)).date().isoformat(), 3),
        (today.date().isoformat(), 1),
    ]


def test_days_before_those_asked_for_are_left_out(store: StatisticsStore, database: Database) -> None:
    record(database, now() - timedelta(days=7), miss=3)
    record(database, now(), miss=1)
    assert totals(store)["requests"] == 1


def test_percentiles_lie_in_the_bucket_of_their_latency(store: StatisticsStore, database: Database) -> None:
    record(database, latency_ms=4.0, memcached=96)
    record(database, latency_ms=800.0, miss=4)
    latency = totals(store)["latency_ms"]
    assert 3 <= latency["p50"] <= 5
    assert 3 <= latency["p95"] <= 5
    assert 750 <= latency["p99"] <= 1000


def test_provider_calls_are_counted_once_folded(store: StatisticsStore, database: Database) -> None:
    call(database, 3)
    call(database, 2, outcome="failed")
    assert store.fold_provider_calls(100) == 5
    found = totals(store)
    assert {name: found[name] for name in ("provider_calls", "provider_failures", "total_tokens")} == {
        "provider_calls": 5,
        "provider_failures": 2,
        "total_tokens": 250,
    }


def test_folding_again_adds_nothing(store: StatisticsStore, database: Database) -> None:
    call(database, 3)
    store.fold_provider_calls(100)
    assert store.fold_provider_calls(100) == 0
    assert totals(store)["provider_calls"] == 3


def test_a_fold_is_bounded(store: StatisticsStore, database: Database) -> None:
    call(database, 5)
    assert [store.fold_provider_calls(2) for _ in range(4)] == [2, 2, 1, 0]


def test_folding_adds_to_what_is_there(store: StatisticsStore, database: Database) -> None:
    for _ in range(3):
        call(database, 2)
        store.fold_provider_calls(100)
    assert totals(store)["provider_calls"] == 6


def test_two_folders_at_once_count_each_call_once(store: StatisticsStore, database: Database) -> None:
    for days in range(5):
        call(database, 100, ended_at=now() - timedelta(days=days))

    def fold(_: int) -> int:
        return sum(store.fold_provider_calls(20) for _ in range(30))

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(fold, range(2))) == 500
    assert totals(store)["provider_calls"] == 500


def test_calls_to_providers_are_no_requests(store: StatisticsStore, database: Database) -> None:
    call(database, 3)
    store.fold_provider_calls(100)
    assert totals(store)["requests"] == 0


def test_a_call_without_token_counts_is_folded(store: StatisticsStore, database: Database) -> None:
    call(database, 1)
    write(database, "UPDATE provider_calls SET prompt_tokens = NULL, completion_tokens = NULL, total_tokens = NULL")
    store.fold_provider_calls(100)
    assert tuple(row(database, "SELECT provider_calls, total_tokens FROM hourly_statistics")) == (1, 0)
