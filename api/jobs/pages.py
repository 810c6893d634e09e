"""Pages of the table `jobs`, whose size is limited however large the results are."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    Text,
    case,
    cast,
    func,
    literal_column,
    select,
    union,
)

from api.jobs.shares import SHARES, shares_of
from api.jobs.shares_table import job_subscribers
from api.jobs.shown import SharedJob
from shared.db.tables import jobs
from shared.domain.request import DEFAULT_TENANT
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
    connection: Connection, wanted: Mapping[str, str], *, limit: int, before: UUID | None, tenant: str | None = None
) -> tuple[list[SharedJob], bool]:
    """Return at most `limit` jobs, newest first and without their requests, and whether there are more.

    Those with the values that are wanted of columns and older than `before`, and only what a tenant has made or joined,
    if given. A page ends early once its results have PAGE_BYTES.
    """
    found = select(*_LISTED).order_by(jobs.c.id.desc()).limit(limit + 1)
    if tenant is not None:
        found = found.where(jobs.c.id.in_(_ids_of_tenant(tenant, wanted, limit + 1, before)))
    elif wanted:
        found = found.where(jobs.c.id.in_(_ids(wanted, limit + 1, before).correlate(None)))
    else:
        found = found.where(*_older(jobs.c.id, before))
    rows = connection.execute(_with_bytes_before(found)).all()
    fitting = [row for row in rows if row.bytes_before < PAGE_BYTES][:limit]
    return [SharedJob(job_from_row(row), shares_of(row)) for row in fitting], len(rows) > len(fitting)


def _ids_of_tenant(
    tenant: str, wanted: Mapping[str, str], most: int, before: UUID | None
) -> CompoundSelect[tuple[UUID]]:
    """Return the ids of the newest jobs that a tenant made, and of the newest that it joined: the page is among them.

    Each half reads its own index from the newest on. One condition for both would read all jobs, newer ones of other
    tenants too, and all that the tenant has ever joined.
    """
    return union(_ids({"tenant": tenant, **wanted}, most, before), _ids_joined(tenant, wanted, most, before))


def _ids_joined(tenant: str, wanted: Mapping[str, str], most: int, before: UUID | None) -> Select[tuple[UUID]]:
    of_tenant, job_id = job_subscribers.c.tenant, job_subscribers.c.job_id
    # A job that several keys of the tenant have joined counts once.
    joined = select(job_id).where(*_older(job_id, before)).group_by(of_tenant, job_id).limit(most)
    if not wanted:
        return _by_index_of(of_tenant, tenant, joined, job_id)
    joined = joined.join(jobs, jobs.c.id == job_id).where(of_tenant == tenant, *_all(wanted))
    return joined.order_by(job_id.desc())


def _ids(wanted: Mapping[str, str], most: int, before: UUID | None) -> Select[tuple[UUID]]:
    """Return the ids of the newest jobs."""
    ids = select(jobs.c.id).where(*_older(jobs.c.id, before)).limit(most)
    if len(wanted) > 1 or wanted.get("tenant") == DEFAULT_TENANT:
        return ids.where(*_all(wanted)).order_by(jobs.c.id.desc())
    ((name, value),) = wanted.items()
    if name == "tenant":
        ids = ids.where(jobs.c.tenant != DEFAULT_TENANT)  # the condition of the index
    return _by_index_of(jobs.c[name], value, ids, jobs.c.id)


def _by_index_of(
    column: ColumnElement[str], value: str, ids: Select[tuple[UUID]], id_: ColumnElement[UUID]
) -> Select[tuple[UUID]]:
    """Find rows with this value, newest first, by the index of the column and the id.

    If it were one value to PostgreSQL, and not a range of values, an index of the id alone would have the same order.
    It would prefer that, because it believes that the rows it looks for are spread evenly; where all are old, it would
    first read a million newer ones.
    """
    return ids.where(column >= value, column <= value).order_by(column.desc(), id_.desc())


def _all(wanted: Mapping[str, str]) -> list[ColumnElement[bool]]:
    return [jobs.c[name] == value for name, value in wanted.items()]


def _older(column: ColumnElement[UUID], before: UUID | None) -> list[ColumnElement[bool]]:
    return [] if before is None else [column < before]


def _with_bytes_before(query: Select[Any]) -> Select[Any]:
    """Add to each row how many bytes of results come before it, and omit a result that does not fit."""
    page = query.subquery()
    size = func.octet_length(cast(page.c.result, Text))
    before = func.coalesce(func.sum(size).over(order_by=page.c.id.desc(), rows=(None, -1)), 0)
    sized = select(page, before.label("bytes_before")).subquery()
    result = case((sized.c.bytes_before < PAGE_BYTES, sized.c.result)).label("result")
    others = [column for column in sized.c if column.name != "result"]
    return select(*others, result).order_by(sized.c.id.desc())
