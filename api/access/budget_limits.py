"""New limits for budgets that exist: the table `budgets` has a copy of them, by which retries are judged."""

from sqlalchemy import Connection, text

from shared.domain.limits import PERIODS, UNITS, Limits

_SET_LIMITS = text("""
    WITH locked AS MATERIALIZED (
        SELECT period, starts FROM budgets WHERE tenant = :tenant AND key_id = :key_id
        ORDER BY period, starts FOR UPDATE
    )
    UPDATE budgets SET
        tokens_limit = CASE budgets.period WHEN 'day' THEN CAST(:tokens_day AS bigint)
            ELSE CAST(:tokens_month AS bigint) END,
        dollars_limit = CASE budgets.period WHEN 'day' THEN CAST(:dollars_day AS numeric)
            ELSE CAST(:dollars_month AS numeric) END
    FROM locked WHERE budgets.tenant = :tenant AND budgets.key_id = :key_id
        AND budgets.period = locked.period AND budgets.starts = locked.starts
""")


def set_limits(connection: Connection, tenant: str, key_id: str, limits: Limits) -> None:
    """Let these limits hold for budgets that exist already, so that retries of jobs are judged by them too.

    `key_id`: OF_ALL_KEYS for those that all keys of the tenant share.
    """
    names = {f"{unit}_{period}": limits.budget(unit, period) for unit in UNITS for period in PERIODS}
    connection.execute(_SET_LIMITS, {"tenant": tenant, "key_id": key_id, **names})
