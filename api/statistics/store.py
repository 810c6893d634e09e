"""Sums by the hour and by the day: what `statistics` reads, so that a hundred million requests cost what one does."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from api.statistics.periods import BUCKETS, Period
from api.statistics.report import report
from shared.db.engine import Database
from shared.db.planner import IN_INDEX_ORDER
from shared.request_log.aggregates import ADD_TO_SUMS, COUNTERS, HISTOGRAM_OF_HISTOGRAMS, SUMS_TABLES

_WHOLE = ", ".join(f"sum({name})::bigint AS {name}" for name in COUNTERS if name not in {"cost", "latency_ms_sum"})

_READ = {
    bucket: text(f"""
        SELECT {bucket} AS bucket, outcome, code, sum(cost) AS cost, {_WHOLE}, {HISTOGRAM_OF_HISTOGRAMS} AS histogram
        FROM {SUMS_TABLES[bucket]} WHERE {bucket} >= :start AND {bucket} < :end
            AND (CAST(:task_type AS text) IS NULL OR task_type = :task_type)
        GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    """)  # noqa: S608  built of constants
    for bucket in BUCKETS
}

_FOLD = text(f"""{IN_INDEX_ORDER}
    WITH batch AS MATERIALIZED (
        SELECT id FROM provider_calls WHERE NOT folded AND outcome <> 'started'
        ORDER BY id LIMIT :batch FOR UPDATE SKIP LOCKED
    ), fresh AS (
        UPDATE provider_calls SET folded = true WHERE id IN (SELECT id FROM batch) RETURNING *
    ), fresh_sums AS (
        SELECT date_trunc('hour', ended_at, 'UTC') AS hour, task_type, 'provider_call' AS outcome,
            coalesce(error_code, '') AS code, 0 AS requests, 0 AS latency_ms_sum, NULL::bigint[] AS latency_histogram,
            count(*) AS provider_calls, coalesce(sum(prompt_tokens), 0) AS prompt_tokens,
            coalesce(sum(completion_tokens), 0) AS completion_tokens, coalesce(sum(total_tokens), 0) AS total_tokens,
            coalesce(sum(cached_tokens), 0) AS cached_tokens,
            coalesce(sum(cost), 0) AS cost, count(*) FILTER (WHERE cost IS NULL) AS unpriced,
            coalesce(sum(round(extract(epoch FROM ended_at - started_at) * 1000)), 0)::bigint AS duration_ms
        FROM fresh GROUP BY 1, 2, 3, 4
    ), {ADD_TO_SUMS}
    SELECT count(*) FROM fresh
""")  # noqa: S608  built of constants


@dataclass(frozen=True, slots=True)
class Statistics:
    """Totals over a time, and the same figures for each hour or day in which there was something to count."""

    totals: dict[str, Any]
    series: list[dict[str, Any]]


class StatisticsStore:
    """The tables of sums. Raises DatabaseUnavailable when PostgreSQL is away."""

    def __init__(self, database: Database) -> None:
        """Take the database."""
        self._database = database

    def read(self, period: Period, task_type: str | None = None) -> Statistics:
        """Sum up a time, of one task type if named; requests that named none have none."""
        parameters = {"start": period.start, "end": period.end, "task_type": task_type}
        with self._database.begin() as connection:
            rows = connection.execute(_READ[period.bucket], parameters).all()
        return Statistics(*report(rows))

    def fold_provider_calls(self, batch: int) -> int:
        """Add at most `batch` provider calls to the sums, each exactly once; return how many."""
        with self._database.begin() as connection:
            return int(connection.execute(_FOLD, {"batch": batch}).scalar_one())
