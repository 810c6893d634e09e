"""Aggregates by the hour and by the day: SQL that adds new rows to them in the transaction that writes the rows."""

LATENCY_BOUNDS_MS = (
    *(0.5, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 50.0, 75.0),
    *(100.0, 150.0, 200.0, 300.0, 500.0, 750.0, 1000.0, 2000.0, 5000.0, 10000.0, 30000.0, 60000.0),
)
"""Upper bounds of the histogram's buckets, in ms; one more bucket counts what is above the last."""

BUCKETS = range(1, len(LATENCY_BOUNDS_MS) + 2)
"""Indexes of a histogram's buckets. SQL counts from 1."""

BUCKET = "width_bucket(latency_ms, ARRAY[{}]::float8[]) + 1".format(", ".join(map(str, LATENCY_BOUNDS_MS)))
"""SQL: the bucket of a row that has a column `latency_ms`."""

CALLS = "CASE WHEN outcome = 'error' THEN coalesce((request->>'calls')::int, 1) ELSE 1 END"
"""SQL: how many calls a row of `requests` stands for."""

HISTOGRAM_OF_BUCKETS = f"""ARRAY(
    SELECT coalesce(counted.calls, 0) FROM generate_series(1, {len(BUCKETS)}) AS every (number)
    LEFT JOIN unnest(array_agg(bucket), array_agg(requests)) AS counted (number, calls) USING (number) ORDER BY number
)"""  # noqa: S608  built of constants
"""SQL: the histogram of a group of rows that each have a `bucket` of their own, and its number of `requests`."""

HISTOGRAM_OF_HISTOGRAMS = "ARRAY[{}]".format(
    ", ".join(f"coalesce(sum(latency_histogram[{number}]), 0)::bigint" for number in BUCKETS)
)
"""SQL: the sum of the histograms in the column `latency_histogram`, which may be null."""

AGGREGATE_TABLES = {"hour": "hourly_statistics", "day": "daily_statistics"}
"""Tables by the name of their time column: the start of the hour or day, in UTC."""

COUNTERS = (
    *("requests", "latency_ms_sum", "provider_calls", "prompt_tokens", "completion_tokens", "total_tokens"),
    *("cached_tokens", "cost", "unpriced", "duration_ms"),
)

_COLUMNS = f"tenant, task_type, outcome, code, {', '.join(COUNTERS)}, latency_histogram"
_ADDED = ", ".join(
    [
        *(f"{name} = aggregates.{name} + excluded.{name}" for name in COUNTERS),
        """latency_histogram = ARRAY(
            SELECT coalesce(mine, 0) + coalesce(other, 0)
            FROM unnest(aggregates.latency_histogram, excluded.latency_histogram)
                WITH ORDINALITY AS buckets (mine, other, number) ORDER BY number
        )""",
    ]
)

# In a fixed order, so that two concurrent writers wait for each other and can't deadlock.
ADD_TO_AGGREGATES = f"""
    hourly AS (
        INSERT INTO hourly_statistics AS aggregates (hour, {_COLUMNS})
        SELECT hour, {_COLUMNS} FROM fresh_aggregates ORDER BY 1, 2, 3, 4, 5
        ON CONFLICT (hour, tenant, task_type, outcome, code) DO UPDATE SET {_ADDED}
    ), daily AS (
        INSERT INTO daily_statistics AS aggregates (day, {_COLUMNS})
        SELECT date_trunc('day', hour, 'UTC'), tenant, task_type, outcome, code,
            {", ".join(f"sum({name})" for name in COUNTERS)}, {HISTOGRAM_OF_HISTOGRAMS}
        FROM fresh_aggregates GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
        ON CONFLICT (day, tenant, task_type, outcome, code) DO UPDATE SET {_ADDED}
    )
"""  # noqa: S608  built of constants
"""SQL: parts of a WITH clause. They follow a part named `fresh_aggregates` that has `hour` and all other columns."""
