"""SQL that counts audits that have ended, in the transaction that deletes them."""

_ADDED = "audits = drift.audits + excluded.audits, dollars = drift.dollars + excluded.dollars"


def _count(table: str, bucket: str) -> str:
    # In a fixed order, so that two who count wait for each other and can't deadlock.
    return f"""
        INSERT INTO {table} AS drift ({bucket}, tenant, task_type, age, verdict, audits, dollars)
        SELECT date_trunc('{bucket}', now(), 'UTC'), tenant, task_type, age, verdict, count(*), sum(dollars)
        FROM ended GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
        ON CONFLICT ({bucket}, tenant, task_type, age, verdict) DO UPDATE SET {_ADDED}
    """  # noqa: S608  built of constants


COUNT_ENDED = f"hourly AS ({_count('hourly_drift', 'hour')}), daily AS ({_count('daily_drift', 'day')})"
"""SQL: parts of a WITH clause. They follow a part named `ended`: tenant, task_type, age, verdict and dollars."""
