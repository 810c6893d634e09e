"""Pages of the table `jobs`, whose size is limited however large the results are."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Text, case, cast, func, literal_column, select

from api.jobs.shares import SHARES, shares_of
from api.jobs.shown import SharedJob
from shared.db.tables import jobs
from shared.jobs.rows import job_from_row

PAGE_BYTES = 4_000_000
"""Limit of the results of a page. The last result may exceed it."""

# Lists do not show requests, which may be large.
_LISTED = [
    *(column for column in jobs.c if column.name not in {"request", "redacted_request"}),
    literal_column("'{}'::jsonb", jobs.c.request.type).label("request"),
    literal_column(SHARES).label("shares"),
]


def read_page(
    connection: Connection, filters: Sequence[ColumnElement[bool]], limit: int
) -> tuple[list[SharedJob], bool]:
    """Return at most `limit` jobs, newest first and without their requests, and whether there are more.

    A page ends early once its results have PAGE_BYTES.
    """
    found = select(*_LISTED).where(*filters).order_by(jobs.c.id.desc()).limit(limit + 1)
    rows = connection.execute(_with_bytes_before(found)).all()
    fitting = [row for row in rows if row.bytes_before < PAGE_BYTES][:limit]
    return [SharedJob(job_from_row(row), shares_of(row)) for row in fitting], len(rows) > len(fitting)


def _with_bytes_before(query: Select[Any]) -> Select[Any]:
    """Add to each row how many bytes of results come before it, and omit a result that does not fit."""
    page = query.subquery()
    size = func.octet_length(cast(page.c.result, Text))
    before = func.coalesce(func.sum(size).over(order_by=page.c.id.desc(), rows=(None, -1)), 0)
    sized = select(page, before.label("bytes_before")).subquery()
    result = case((sized.c.bytes_before < PAGE_BYTES, sized.c.result)).label("result")
    others = [column for column in sized.c if column.name != "result"]
    return select(*others, result).order_by(sized.c.id.desc())
