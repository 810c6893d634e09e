from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from api.statistics.periods import Period, last_days
from api.statistics.report import OUTCOMES
from api.statistics.store import StatisticsStore
from shared.db.engine import Database
from shared.request_log.rows import row_of
from shared.request_log.writer import RequestWriter
from shared.times import now, rfc3339
from tests.installation import Installation
from tests.integration.asking import an_id, row, write
from workers.maintenance.folding import fold_provider_calls

PROVIDER_CALL = """
    INSERT INTO provider_calls (id, job_id, attempt, task_type, provider, model, outcome, started_at, ended_at,
        prompt_tokens, completion_tokens, total_tokens, error_code)
    SELECT gen_random_uuid(), gen_random_uuid(), 1, 'chat', 'groq', 'm', :outcome, now(), :ended_at, 30, 20, 50,
        CASE WHEN :outcome = 'failed' THEN 'provider_unavailable' END
    FROM generate_series(1, :number)
"""


def fold(database: Database, batch: int = 100) -> int:
    return sum(fold_provider_calls(database, batch))


@pytest.fixture
def store(installation: Installation) -> StatisticsStore:
    return StatisticsStore(installation.database)


def record(
    database: Database,
    at: datetime | None = None,
    latency_ms: float = 4.0,
    task_type: str | None = "chat",
    **outcomes: int,
) -> None:
    moment = at or now()
    common = {
        "client": "anonymous",
        "status": 200,
        "latency_ms": latency_ms,
        "task_type": task_type,
    }
    records = [
        {**common, "id": str(an_id(moment)), "outcome": outcome}
        for outcome, number in outcomes.items()
        for _ in range(number)
    ]
    RequestWriter(database).write(map(row_of, records))


def call(database: Database, number: int, outcome: str = "completed", ended_at: datetime | None = None) -> None:
    write(database, PROVIDER_CALL, number=number, outcome=outcome, ended_at=ended_at or now())


def week() -> Period:
    return last_days(7, "day", now())


def totals(store: StatisticsStore, task_type: str | None = None) -> dict[str, Any]:
    return store.read(week(), task_type).totals


def spent(store: StatisticsStore) -> dict[str, Any]:
    found: dict[str, Any] = totals(store)["spent"]
    return found


def test_nothing_at_all_is_zero_everywhere_and_costs_nothing(store: StatisticsStore) -> None:
    found = totals(store)
    percentiles = {"p50": None, "p95": None, "p99": None}
    assert found["latency_ms"] == percentiles
    assert found["latency_ms_by_outcome"] == dict.fromkeys(OUTCOMES, percentiles)
    assert {found[name] for name in ("requests", *OUTCOMES, "hit_ratio")} == {0}
    assert (found["errors"], found["spent"]["cost_usd"], found["saved"]["cost_usd"]) == ({}, 0, 0)


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


def test_the_hit_ratio_is_told_by_tier(store: StatisticsStore, database: Database) -> None:
    record(database, memcached=3, redis=1, miss=4, error=5)
    assert totals(store)["hit_ratio_by_tier"] == {"memcached": 3 / 8, "redis": 1 / 8}


def test_the_series_has_an_entry_a_day(store: StatisticsStore, database: Database) -> None:
    today = now()
    record(database, today, miss=1)
    record(database, today - timedelta(days=2), miss=3)
    assert [(day["start"][:10], day["requests"]) for day in store.read(week()).series] == [
        ((today - timedelta(days=2)).date().isoformat(), 3),
        (today.date().isoformat(), 1),
    ]


def test_the_series_may_have_an_entry_an_hour(store: StatisticsStore, database: Database) -> None:
    hour = now().replace(minute=0, second=0, microsecond=0)
    record(database, hour, miss=1)
    record(database, hour - timedelta(milliseconds=1), redis=2)
    series = store.read(Period(hour - timedelta(hours=5), hour + timedelta(hours=1), "hour")).series
    assert [(each["start"], each["miss"], each["redis"]) for each in series] == [
        (rfc3339(hour - timedelta(hours=1)), 0, 2),
        (rfc3339(hour), 1, 0),
    ]


def test_the_end_of_a_period_is_not_part_of_it(store: StatisticsStore, database: Database) -> None:
    hour = now().replace(minute=0, second=0, microsecond=0)
    record(database, hour, miss=1)
    assert store.read(Period(hour - timedelta(hours=1), hour, "hour")).totals["requests"] == 0


def test_one_task_type_may_be_asked_for(store: StatisticsStore, database: Database) -> None:
    record(database, miss=2)
    record(database, task_type="sentiment", miss=3)
    record(database, task_type=None, error=1)
    assert [totals(store, name)["requests"] for name in ("chat", "sentiment", "translation", None)] == [2, 3, 0, 6]


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


def test_latencies_are_told_by_outcome(store: StatisticsStore, database: Database) -> None:
    record(database, latency_ms=4.0, redis=10)
    record(database, latency_ms=800.0, miss=10)
    latency = totals(store)["latency_ms_by_outcome"]
    assert 3 <= latency["redis"]["p99"] <= 5
    assert 750 <= latency["miss"]["p50"] <= 1000
    assert latency["memcached"]["p50"] is None


def test_a_call_of_unknown_cost_is_counted_and_costs_null(store: StatisticsStore, database: Database) -> None:
    call(database, 2)
    fold(database)
    assert (spent(store)["cost_usd"], spent(store)["unpriced"]) == (None, 2)


def test_known_costs_are_summed_beside_unknown_ones(store: StatisticsStore, database: Database) -> None:
    call(database, 3)
    write(database, "UPDATE provider_calls SET cost = 0.1 WHERE id <> (SELECT id FROM provider_calls LIMIT 1)")
    fold(database)
    assert (spent(store)["cost_usd"], spent(store)["unpriced"]) == (0.2, 1)


def test_provider_calls_are_counted_once_folded(store: StatisticsStore, database: Database) -> None:
    call(database, 3)
    call(database, 2, outcome="failed")
    assert fold(database) == 5
    found = spent(store)
    assert {name: found[name] for name in ("provider_calls", "provider_failures", "failures", "total_tokens")} == {
        "provider_calls": 5,
        "provider_failures": 2,
        "failures": {"provider_unavailable": 2},
        "total_tokens": 250,
    }


def test_folding_again_adds_nothing(store: StatisticsStore, database: Database) -> None:
    call(database, 3)
    fold(database)
    assert fold(database) == 0
    assert spent(store)["provider_calls"] == 3


def test_a_fold_is_bounded(database: Database) -> None:
    call(database, 5)
    assert list(fold_provider_calls(database, 2)) == [2, 2, 1]


def test_folding_adds_to_what_is_there(store: StatisticsStore, database: Database) -> None:
    for _ in range(3):
        call(database, 2)
        fold(database)
    assert spent(store)["provider_calls"] == 6


def test_two_folders_at_once_count_each_call_once(store: StatisticsStore, database: Database) -> None:
    for days in range(5):
        call(database, 100, ended_at=now() - timedelta(days=days))

    def fold_all(_: int) -> int:
        return sum(fold(database, 20) for _ in range(30))

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(fold_all, range(2))) == 500
    assert spent(store)["provider_calls"] == 500


def test_calls_to_providers_are_no_requests(store: StatisticsStore, database: Database) -> None:
    call(database, 3)
    fold(database)
    assert totals(store)["requests"] == 0


def test_a_call_without_token_counts_is_folded(database: Database) -> None:
    call(database, 1)
    write(database, "UPDATE provider_calls SET prompt_tokens = NULL, completion_tokens = NULL, total_tokens = NULL")
    fold(database)
    assert tuple(row(database, "SELECT provider_calls, total_tokens FROM hourly_statistics")) == (1, 0)
