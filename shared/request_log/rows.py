"""Request records as rows of the table `requests`."""

from collections.abc import Mapping, Sequence

COLUMNS = {
    "id": "uuid",
    "client": "text",
    "tenant": "text",
    "task_type": "text",
    "cache_key": "text",
    "outcome": "text",
    "status": "smallint",
    "latency_ms": "float8",
    "job_id": "uuid",
    "request_id": "text",
    "trace_id": "uuid",
    "saved_prompt_tokens": "int",
    "saved_completion_tokens": "int",
    "saved_total_tokens": "int",
    "saved_cached_tokens": "int",
    "saved_cost": "numeric",
    "saved_ms": "int",
    "request": "jsonb",
}
"""The columns of a row, in this order, with their types in PostgreSQL."""

OLDER = {"tenant": "default"}
"""What records of versions without these columns have there."""

Row = Sequence[object]
"""A record's values in the order of COLUMNS: texts, numbers, None, and for `request` also a mapping."""


def row_of(values: Mapping[str, object]) -> Row:
    """Return a record that was kept under the names of its columns, perhaps by an older version, as a row."""
    return [values.get(name, OLDER.get(name)) for name in COLUMNS]
