"""Reads aggregates by the hour and by the day, so that the cost does not grow with the number of requests."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from api.statistics.drift import report_drift
from api.statistics.periods import BUCKETS, Period
from api.statistics.report import report
from shared.db.audit_tables import daily_drift, hourly_drift
from shared.db.engine import Database
from shared.request_log.aggregates import AGGREGATE_TABLES, COUNTERS, HISTOGRAM_OF_HISTOGRAMS

_WHOLE = ", ".join(f"sum({name})::bigint AS {name}" for name in COUNTERS if name not in {"cost", "latency_ms_sum"})

_READ = {
    bucket: text(f"""
        SELECT {bucket} AS bucket, outcome, code, sum(cost) AS cost, {_WHOLE}, {HISTOGRAM_OF_HISTOGRAMS} AS histogram
        FROM {AGGREGATE_TABLES[bucket]} WHERE {bucket} >= :start AND {bucket} < :end
            AND (CAST(:task_type AS text) IS NULL OR task_type = :task_type)
            AND (CAST(:tenant AS text) IS NULL OR tenant = :tenant)
        GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    """)  # noqa: S608  built of constants
    for bucket in BUCKETS
}

_DRIFT = {
    bucket: text(f"""
        SELECT task_type, age, verdict, sum(audits)::bigint AS audits, sum(dollars) AS dollars
        FROM {table} WHERE {bucket} >= :start AND {bucket} < :end
            AND (CAST(:task_type AS text) IS NULL OR task_type = :task_type)
            AND (CAST(:tenant AS text) IS NULL OR tenant = :tenant)
        GROUP BY 1, 2, 3
    """)  # noqa: S608  built of constants
    for bucket, table in (("hour", hourly_drift), ("day", daily_drift))
}


@dataclass(frozen=True, slots=True)
class Statistics:
    """Totals of a period, and the same figures for each hour or day that has any; and what audits of hits found."""

    totals: dict[str, Any]
    series: list[dict[str, Any]]
    audit: dict[str, Any]


class StatisticsStore:
    """The tables of aggregates. Raises DatabaseUnavailable when PostgreSQL is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, period: Period, task_type: str | None = None, tenant: str | None = None) -> Statistics:
        """Return the statistics of a period, of one task type and of one tenant if given.

        Requests that named no task type have none.
        """
        parameters = {"start": period.start, "end": period.end, "task_type": task_type, "tenant": tenant}
        with self._database.begin() as connection:
            rows = connection.execute(_READ[period.bucket], parameters).all()
            drift = connection.execute(_DRIFT[period.bucket], parameters).all()
        return Statistics(*report(rows), report_drift(drift))
