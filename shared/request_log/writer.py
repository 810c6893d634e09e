"""The one statement that writes request records and adds them to the aggregates."""

from collections.abc import Iterable

from sqlalchemy import text

from shared.db.arrays import array_literal
from shared.db.engine import Database
from shared.db.prepared import prepared
from shared.request_log.aggregates import ADD_TO_AGGREGATES, BUCKET, CALLS, HISTOGRAM_OF_BUCKETS
from shared.request_log.rows import COLUMNS, Row

_NAMES = ", ".join(COLUMNS)
_ARRAYS = ", ".join(f"CAST(:{name} AS {type_}[])" for name, type_ in COLUMNS.items())

# An id is a UUIDv7: its first 48 bits are milliseconds since the epoch.
_AT = "to_timestamp(('x' || translate(left(id::text, 13), '-', ''))::bit(48)::bigint / 1000.0)"

_SAVED = ("prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens", "cost")

# First by the buckets of histograms too: a few sums for each row, and all buckets only for the few rows that are left.
AGGREGATES_OF_ADDED = f"""
    SELECT hour, tenant, task_type, outcome, code, sum(requests) AS requests, sum(latency_ms_sum) AS latency_ms_sum,
        {HISTOGRAM_OF_BUCKETS} AS latency_histogram, 0 AS provider_calls,
        {", ".join(f"coalesce(sum({name}), 0) AS {name}" for name in (*_SAVED, "unpriced", "duration_ms"))}
    FROM (
        SELECT date_trunc('hour', at, 'UTC') AS hour, tenant, coalesce(task_type, '') AS task_type, outcome,
            CASE WHEN outcome = 'error' THEN coalesce(request->>'error', 'unknown') ELSE '' END AS code, bucket,
            sum(calls) AS requests, sum(latency_ms * calls) AS latency_ms_sum,
            {", ".join(f"sum(saved_{name}) AS {name}" for name in _SAVED)},
            count(*) FILTER (WHERE outcome IN ('memcached', 'redis') AND saved_cost IS NULL) AS unpriced,
            sum(saved_ms) AS duration_ms
        FROM added GROUP BY 1, 2, 3, 4, 5, 6
    ) AS buckets GROUP BY 1, 2, 3, 4, 5
"""  # noqa: S608  built of constants
"""SQL: the aggregates of new rows of `requests`, given as `added` with their `bucket` and `calls`."""

# One statement, so that a batch and its aggregates are committed together or not at all. Each column is one array:
# that costs both sides less than JSON, and needs no temporary table, so it also works behind a transaction pooler.
_WRITE = prepared(
    text(f"""
    WITH added AS (
        INSERT INTO requests (at, {_NAMES})
        SELECT {_AT}, {_NAMES} FROM unnest({_ARRAYS}) AS record ({_NAMES})
        ON CONFLICT (id) DO NOTHING
        RETURNING *, {BUCKET} AS bucket, {CALLS} AS calls
    ), fresh_aggregates AS ({AGGREGATES_OF_ADDED}), {ADD_TO_AGGREGATES}
    SELECT count(*) FROM added
"""),  # noqa: S608  built of constants
    "write_requests",
)


class RequestWriter:
    """Writes to the table `requests`. Safe to use from many threads and processes at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, rows: Iterable[Row]) -> int:
        """Commit records and return how many were new.

        A record whose id exists already changes nothing, so a batch may be written again. Raises DatabaseUnavailable,
        and DBAPIError when PostgreSQL refuses the data.
        """
        arrays = map(array_literal, zip(*rows, strict=True))
        ((new,),) = self._database.run(_WRITE, dict(zip(COLUMNS, arrays, strict=True)))
        return int(new)
