"""The one statement that writes request records and adds them to the aggregates."""

from sqlalchemy import text

from shared.db.engine import Database
from shared.request_log.aggregates import ADD_TO_AGGREGATES, BUCKET, HISTOGRAM_OF_ROWS

COLUMNS = {
    "id": "uuid",
    "at": "timestamptz",
    "client": "text",
    "task_type": "text",
    "cache_key": "text",
    "outcome": "text",
    "status": "smallint",
    "latency_ms": "float8",
    "job_id": "uuid",
    "request_id": "text",
    "saved_prompt_tokens": "int",
    "saved_completion_tokens": "int",
    "saved_total_tokens": "int",
    "saved_cached_tokens": "int",
    "saved_cost": "numeric",
    "saved_ms": "int",
    "request": "jsonb",
}
_NAMES = ", ".join(COLUMNS)
_TYPES = ", ".join(f"{name} {type_}" for name, type_ in COLUMNS.items())

AGGREGATES_OF_ADDED = f"""
    SELECT date_trunc('hour', at, 'UTC') AS hour, coalesce(task_type, '') AS task_type, outcome,
        CASE WHEN outcome = 'error' THEN coalesce(request->>'error', 'unknown') ELSE '' END AS code,
        count(*) AS requests, sum(latency_ms) AS latency_ms_sum, {HISTOGRAM_OF_ROWS} AS latency_histogram,
        0 AS provider_calls, coalesce(sum(saved_prompt_tokens), 0) AS prompt_tokens,
        coalesce(sum(saved_completion_tokens), 0) AS completion_tokens,
        coalesce(sum(saved_total_tokens), 0) AS total_tokens,
        coalesce(sum(saved_cached_tokens), 0) AS cached_tokens, coalesce(sum(saved_cost), 0) AS cost,
        count(*) FILTER (WHERE outcome IN ('memcached', 'redis') AND saved_cost IS NULL) AS unpriced,
        coalesce(sum(saved_ms), 0) AS duration_ms
    FROM added GROUP BY 1, 2, 3, 4
"""  # noqa: S608  built of constants
"""SQL: the aggregates of new rows of `requests`, given as `added` with their `bucket`."""

# One statement, so that a batch and its aggregates are committed together or not at all. The rows are one JSON
# parameter: this needs no temporary table, so it also works behind a transaction pooler.
_WRITE = text(f"""
    WITH added AS (
        INSERT INTO requests ({_NAMES})
        SELECT {_NAMES} FROM jsonb_to_recordset(CAST(:records AS jsonb)) AS record ({_TYPES})
        ON CONFLICT (id) DO NOTHING
        RETURNING *, {BUCKET} AS bucket
    ), fresh_aggregates AS ({AGGREGATES_OF_ADDED}), {ADD_TO_AGGREGATES}
    SELECT count(*) FROM added
""")  # noqa: S608  built of constants


class RequestWriter:
    """Writes to the table `requests`. Safe to use from many threads and processes at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, records: str) -> int:
        """Commit records and return how many were new. `records`: a JSON array of objects with the keys of COLUMNS.

        A record whose id exists already changes nothing, so a batch may be written again. Raises DatabaseUnavailable,
        and DBAPIError when PostgreSQL refuses the data.
        """
        with self._database.begin() as connection:
            return int(connection.execute(_WRITE, {"records": records}).scalar_one())
