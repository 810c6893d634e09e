"""Request records as rows of the table `requests`."""

from collections.abc import Mapping, Sequence

COLUMNS = (
    "id",
    "client",
    "tenant",
    "task_type",
    "cache_key",
    "outcome",
    "status",
    "latency_ms",
    "job_id",
    "request_id",
    "trace_id",
    "saved_prompt_tokens",
    "saved_completion_tokens",
    "saved_total_tokens",
    "saved_cached_tokens",
    "saved_cost",
    "saved_ms",
    "request",
)
"""The columns of a row, in this order."""

OLDER = {"tenant": "default"}
"""What records of versions without these columns have there."""

Row = Sequence[object]
"""A record's values in the order of COLUMNS: texts, numbers, None, and for `request` also a mapping."""


def row_of(values: Mapping[str, object]) -> Row:
    """Return a record that was kept under the names of its columns, perhaps by an older version, as a row."""
    return [values.get(name, OLDER.get(name)) for name in COLUMNS]
