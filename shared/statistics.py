"""Sums by the hour: what `statistics` reads, so that it takes as long for a thousand requests as for many millions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from shared.db.engine import Database

LATENCY_BOUNDS_MS = (
    *(0.5, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 50.0, 75.0),
    *(100.0, 150.0, 200.0, 300.0, 500.0, 750.0, 1000.0, 2000.0, 5000.0, 10000.0, 30000.0, 60000.0),
)
"""Upper bounds of the histogram's buckets; one more bucket holds what is above the last."""

OUTCOMES = ("memcached", "redis", "joined", "bypass", "miss", "error")

HISTOGRAM_OF_GROUP = "ARRAY[{}]".format(
    ", ".join(f"count(*) FILTER (WHERE bucket = {index})" for index in range(len(LATENCY_BOUNDS_MS) + 1))
)
"""SQL: the histogram of a group of rows that have a column `bucket`."""

BUCKET = "width_bucket(latency_ms, ARRAY[{}]::float8[])".format(", ".join(map(str, LATENCY_BOUNDS_MS)))
"""SQL: the bucket of a row that has a column `latency_ms`."""

_READ = text("""
    SELECT date_trunc('day', hour, 'UTC') AS day, outcome, sum(requests) AS requests,
        sum(provider_calls) AS provider_calls, sum(provider_failures) AS provider_failures,
        sum(prompt_tokens) AS prompt_tokens, sum(completion_tokens) AS completion_tokens,
        sum(total_tokens) AS total_tokens
    FROM hourly_statistics WHERE hour >= date_trunc('day', CAST(:since AS timestamptz), 'UTC')
    GROUP BY 1, 2 ORDER BY 1, 2
""")

_READ_HISTOGRAM = text("""
    SELECT bucket.number, sum(bucket.requests) AS requests
    FROM hourly_statistics, unnest(latency_histogram) WITH ORDINALITY AS bucket (requests, number)
    WHERE hour >= date_trunc('day', CAST(:since AS timestamptz), 'UTC') AND outcome <> 'provider_call'
    GROUP BY 1 ORDER BY 1
""")

_FOLD = text("""
    WITH fresh AS (
        UPDATE provider_calls SET folded = true
        WHERE id IN (
            SELECT id FROM provider_calls WHERE NOT folded ORDER BY id LIMIT :batch FOR UPDATE SKIP LOCKED
        )
        RETURNING ended_at, task_type, outcome, prompt_tokens, completion_tokens, total_tokens
    ), folded AS (
        INSERT INTO hourly_statistics AS hourly (hour, task_type, outcome, provider_calls, provider_failures,
            prompt_tokens, completion_tokens, total_tokens)
        SELECT date_trunc('hour', ended_at, 'UTC'), task_type, 'provider_call', count(*),
            count(*) FILTER (WHERE outcome = 'failed'), coalesce(sum(prompt_tokens), 0),
            coalesce(sum(completion_tokens), 0), coalesce(sum(total_tokens), 0)
        FROM fresh GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        ON CONFLICT (hour, task_type, outcome) DO UPDATE SET
            provider_calls = hourly.provider_calls + excluded.provider_calls,
            provider_failures = hourly.provider_failures + excluded.provider_failures,
            prompt_tokens = hourly.prompt_tokens + excluded.prompt_tokens,
            completion_tokens = hourly.completion_tokens + excluded.completion_tokens,
            total_tokens = hourly.total_tokens + excluded.total_tokens
    )
    SELECT count(*) FROM fresh
""")


@dataclass(frozen=True, slots=True)
class Statistics:
    """Totals over the days asked for, and the same counts a day."""

    totals: dict[str, Any]
    series: list[dict[str, Any]]


class StatisticsStore:
    """The table `hourly_statistics`. Raises DatabaseUnavailable when PostgreSQL is away."""

    def __init__(self, database: Database) -> None:
        """Take the database."""
        self._database = database

    def read(self, since: datetime) -> Statistics:
        """Sum up the UTC days from `since`'s own day on."""
        with self._database.begin() as connection:
            rows = connection.execute(_READ, {"since": since}).all()
            histogram = connection.execute(_READ_HISTOGRAM, {"since": since}).all()
        days = sorted({row.day for row in rows})
        series = [{"date": day.date().isoformat(), **_counts([r for r in rows if r.day == day])} for day in days]
        buckets = [0] * (len(LATENCY_BOUNDS_MS) + 1)
        for row in histogram:
            buckets[row.number - 1] = int(row.requests)
        latency = {f"p{percent}": percentile(buckets, percent / 100) for percent in (50, 95, 99)}
        return Statistics(totals={**_counts(rows), "latency_ms": latency}, series=series)

    def fold_provider_calls(self, batch: int) -> int:
        """Add at most `batch` provider calls to the sums, each exactly once; return how many."""
        with self._database.begin() as connection:
            return int(connection.execute(_FOLD, {"batch": batch}).scalar_one())


def _counts(rows: Sequence[Any]) -> dict[str, Any]:
    counts = {outcome: sum(int(row.requests) for row in rows if row.outcome == outcome) for outcome in OUTCOMES}
    requests = sum(counts.values())
    answerable = requests - counts["error"] - counts["bypass"]
    hits = counts["memcached"] + counts["redis"]
    spent = ("provider_calls", "provider_failures", "prompt_tokens", "completion_tokens", "total_tokens")
    return {
        "requests": requests,
        **counts,
        "hit_ratio": hits / answerable if answerable else 0.0,
        **{name: sum(int(getattr(row, name)) for row in rows) for name in spent},
    }


def percentile(buckets: Sequence[int], share: float) -> float | None:
    """Estimate, by linear interpolation within its bucket, the latency below which `share` of the requests were.

    None when there were none; what is above the last bound counts as the last bound.
    """
    rank = share * sum(buckets)
    if not rank:
        return None
    below = 0
    for index, count in enumerate(buckets):
        if count and below + count >= rank:
            lower = LATENCY_BOUNDS_MS[index - 1] if index else 0.0
            upper = LATENCY_BOUNDS_MS[min(index, len(LATENCY_BOUNDS_MS) - 1)]
            return round(lower + (upper - lower) * (rank - below) / count, 3)
        below += count
    return LATENCY_BOUNDS_MS[-1]
