"""Writes request records by COPY, and adds them to the aggregates in the same transaction."""

import functools
from collections.abc import Iterable, Sequence
from uuid import UUID

from psycopg2.errors import UniqueViolation
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from shared.db.copying import with_rows
from shared.db.engine import Database
from shared.db.prepared import BY_INDEX, prepared, preparing
from shared.request_log.aggregates import ADD_TO_AGGREGATES, BUCKET, CALLS, HISTOGRAM_OF_BUCKETS
from shared.request_log.rows import COLUMNS, Row
from shared.times import moment_of

_COPY = text(f"COPY requests ({', '.join(COLUMNS)}, at) FROM STDIN")

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

# Of the rows that this transaction has just written: what others write at the same time is theirs to add.
_ADD = prepared(
    text(f"""
    WITH added AS (
        SELECT *, {BUCKET} AS bucket, {CALLS} AS calls FROM requests
        WHERE id = ANY(CAST(:ids AS uuid[])) AND xmin = pg_current_xact_id()::xid
    ), fresh_aggregates AS ({AGGREGATES_OF_ADDED}), {ADD_TO_AGGREGATES}
    SELECT count(*) FROM added
"""),  # noqa: S608  built of constants
    "add_requests",
    BY_INDEX,
)

_KNOWN = text("SELECT id FROM requests WHERE id = ANY(CAST(:ids AS uuid[]))")


class RequestWriter:
    """Writes to the table `requests`. Safe to use from many threads and processes at once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, rows: Iterable[Row]) -> int:
        """Commit records and return how many were new.

        A record whose id exists already changes nothing, so a batch may be written again. Raises DatabaseUnavailable,
        DBAPIError when PostgreSQL refuses the data, and ValueError or TypeError for what is no record.
        """
        batch = list(rows)
        while True:
            try:
                return self._copy(batch)
            except IntegrityError as err:
                if not isinstance(err.orig, UniqueViolation):
                    raise
            # At least one of them is there by now, so this ends.
            batch = self._unknown(batch)

    def _copy(self, batch: Sequence[Row]) -> int:
        """Commit records and their aggregates together."""
        if not batch:
            return 0
        ids = [str(row[0]) for row in batch]
        copy = with_rows(_COPY, [(*row, _time_in(id_[:_HEAD_CHARACTERS])) for id_, row in zip(ids, batch, strict=True)])
        with self._database.begin() as connection:
            connection.execute(preparing(copy, _ADD))
            new: int = connection.execute(_ADD, {"ids": f"{{{','.join(ids)}}}"}).scalar_one()
        return new

    def _unknown(self, batch: Sequence[Row]) -> list[Row]:
        """Return those records whose id is not there yet, each once."""
        by_id = {UUID(str(row[0])): row for row in batch}
        for row in self._database.run(_KNOWN, {"ids": [str(id_) for id_ in by_id]}):
            by_id.pop(row.id, None)
        return list(by_id.values())


_HEAD_CHARACTERS = 13
_REST = "-0000-0000-000000000000"


@functools.lru_cache(maxsize=4096)
def _time_in(head: str) -> str:
    """Return the time that an id begins with, as PostgreSQL reads it; raise ValueError for what begins no id."""
    try:
        return moment_of(UUID(head + _REST)).isoformat()
    except OverflowError as err:
        raise ValueError(head) from err
