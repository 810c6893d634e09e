"""Folding: adds ended provider calls to the aggregates that the statistics read."""

from collections.abc import Iterator
from functools import cache

from sqlalchemy import TextClause, text

from shared.db.engine import Database
from shared.db.prepared import prepared
from shared.request_log.aggregates import ADD_TO_AGGREGATES
from workers.jobs.planner import IN_INDEX_ORDER

BATCH = 1000

AGGREGATES_OF_CALLS = """
    SELECT date_trunc('hour', ended_at, 'UTC') AS hour, tenant, task_type, 'provider_call' AS outcome,
        coalesce(error_code, '') AS code, 0 AS requests, 0 AS latency_ms_sum, NULL::bigint[] AS latency_histogram,
        count(*) AS provider_calls, coalesce(sum(prompt_tokens), 0) AS prompt_tokens,
        coalesce(sum(completion_tokens), 0) AS completion_tokens, coalesce(sum(total_tokens), 0) AS total_tokens,
        coalesce(sum(cached_tokens), 0) AS cached_tokens,
        coalesce(sum(cost), 0) AS cost, count(*) FILTER (WHERE cost IS NULL) AS unpriced,
        coalesce(sum(round(extract(epoch FROM ended_at - started_at) * 1000)), 0)::bigint AS duration_ms
    FROM fresh GROUP BY 1, 2, 3, 4, 5
"""
"""SQL: the aggregates of ended rows of `provider_calls`, given as `fresh`."""


@cache
def _fold(batch: int) -> TextClause:
    """Return the statement that adds at most so many calls: its plan knows how many, or it would expect a tenth."""
    statement = f"""
        WITH batch AS MATERIALIZED (
            SELECT id FROM provider_calls WHERE NOT folded AND outcome <> 'started'
            ORDER BY id LIMIT {batch} FOR UPDATE SKIP LOCKED
        ), fresh AS (
            UPDATE provider_calls SET folded = true WHERE id IN (SELECT id FROM batch) RETURNING *
        ), fresh_aggregates AS ({AGGREGATES_OF_CALLS}), {ADD_TO_AGGREGATES}
        SELECT count(*) FROM fresh
    """  # noqa: S608  built of constants
    return prepared(text(statement), f"fold_provider_calls_{batch}", IN_INDEX_ORDER)


def fold_provider_calls(database: Database, batch: int = BATCH) -> Iterator[int]:
    """Add ended calls to the aggregates, each exactly once; yield after each step how many it added, at most `batch`.

    Raises DatabaseUnavailable.
    """
    folded = batch
    while folded == batch:
        with database.begin() as connection:
            folded = int(connection.execute(_fold(batch)).scalar_one())
        if folded:
            yield folded
