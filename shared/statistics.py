"""Sums by the hour: what `statistics` reads, so that it takes as long for a thousand requests as for many millions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from shared.db.engine import Database
from shared.sums import ADD_TO_SUMS, HISTOGRAM_OF_HISTOGRAMS, LATENCY_BOUNDS_MS

OUTCOMES = ("memcached", "redis", "joined", "bypass", "miss", "error")

_READ = text("""
    SELECT day, outcome, sum(requests) AS requests, sum(provider_calls) AS provider_calls,
        coalesce(sum(provider_calls) FILTER (WHERE code <> ''), 0) AS provider_failures,
        sum(prompt_tokens) AS prompt_tokens, sum(completion_tokens) AS completion_tokens,
        sum(total_tokens) AS total_tokens
    FROM daily_statistics WHERE day >= date_trunc('day', CAST(:since AS timestamptz), 'UTC')
    GROUP BY 1, 2 ORDER BY 1, 2
""")

_READ_HISTOGRAM = text(f"""
    SELECT {HISTOGRAM_OF_HISTOGRAMS} AS histogram FROM daily_statistics
    WHERE day >= date_trunc('day', CAST(:since AS timestamptz), 'UTC') AND outcome <> 'provider_call'
""")  # noqa: S608  built of constants

_FOLD = text(f"""
    WITH fresh AS (
        UPDATE provider_calls SET folded = true
        WHERE id IN (
            SELECT id FROM provider_calls WHERE NOT folded AND outcome <> 'started'
            ORDER BY id LIMIT :batch FOR UPDATE SKIP LOCKED
        )
        RETURNING *
    ), fresh_sums AS (
        SELECT date_trunc('hour', ended_at, 'UTC') AS hour, task_type, 'provider_call' AS outcome,
            coalesce(error_code, '') AS code, 0 AS requests, 0 AS latency_ms_sum, NULL::bigint[] AS latency_histogram,
            count(*) AS provider_calls, coalesce(sum(prompt_tokens), 0) AS prompt_tokens,
            coalesce(sum(completion_tokens), 0) AS completion_tokens, coalesce(sum(total_tokens), 0) AS total_tokens,
            coalesce(sum(cost), 0) AS cost, count(*) FILTER (WHERE cost IS NULL) AS unpriced,
            coalesce(sum(round(extract(epoch FROM ended_at - started_at) * 1000)), 0)::bigint AS duration_ms
        FROM fresh GROUP BY 1, 2, 3, 4
    ), {ADD_TO_SUMS}
    SELECT count(*) FROM fresh
""")  # noqa: S608  built of constants


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
            buckets = connection.execute(_READ_HISTOGRAM, {"since": since}).scalar_one()
        days = sorted({row.day for row in rows})
        series = [{"date": day.date().isoformat(), **_counts([r for r in rows if r.day == day])} for day in days]
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
