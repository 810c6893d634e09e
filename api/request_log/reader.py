"""Reads the request log: pages, newest first, one record with its request and response, and calls to providers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, bindparam, select, text

from api.request_log.records import LoggedExchange, LoggedRequest, ProviderCall, Saved
from shared.db.engine import Database
from shared.db.tables import provider_calls, requests
from shared.domain.answer import Usage
from shared.domain.request import ANONYMOUS, DEFAULT_TENANT
from shared.errors import NotFound
from shared.times import first_id_at

EXAMINED = 2_000

INDEXED: Mapping[str, Callable[[Any], bool]] = {
    "request_id": lambda _: True,
    "trace_id": lambda _: True,
    "job_id": lambda _: True,
    "client": lambda name: name != ANONYMOUS.name,
    "tenant": lambda name: name != DEFAULT_TENANT,
    "status": lambda status: status not in {HTTPStatus.OK, HTTPStatus.ACCEPTED},
    "outcome": lambda outcome: outcome in {"joined", "bypass", "error"},
    "task_type": lambda _: True,
}
"""Filters, the most selective first; the functions tell for which values the table has an index."""

_TIERS = ("memcached", "redis")
_CALLS = select(provider_calls).where(provider_calls.c.job_id == bindparam("job_id")).order_by(provider_calls.c.id)
_PAYLOADS = text("SELECT request, response FROM request_log WHERE id = :id")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFilter:
    """Which requests: at or after `start`, before `end`, and with these values; None matches any value."""

    start: datetime | None = None
    end: datetime | None = None
    task_type: str | None = None
    outcome: str | None = None
    status: int | None = None
    job_id: UUID | None = None
    request_id: str | None = None
    trace_id: str | None = None
    client: str | None = None
    tenant: str | None = None


@dataclass(frozen=True, slots=True)
class RequestPage:
    """Requests, newest first. `cursor` leads to older ones; None when there are none.

    A page may have fewer requests than asked for, even none, and still a cursor: then the limit of records that one
    page may examine was reached, and older records may match.
    """

    requests: list[LoggedRequest]
    cursor: UUID | None


class RequestReader:
    """Reads the table `requests`. Every method raises DatabaseUnavailable when PostgreSQL is away."""

    def __init__(self, database: Database, examined: int = EXAMINED) -> None:
        self._database = database
        self._examined = examined

    def page(self, wanted: RequestFilter, *, limit: int, before: UUID | None) -> RequestPage:
        """Return matching requests, newest first, that are older than `before`."""
        indexed, others = _filters(wanted)
        ids = select(requests.c.id).where(*_bounds(wanted, before), *indexed).order_by(requests.c.id.desc())
        with self._database.begin() as connection:
            last = connection.scalar(ids.offset(self._examined - 1).limit(1)) if others else None
            if last is not None:
                ids = ids.where(requests.c.id >= last)
            rows = connection.execute(_matching(ids, others, limit + 1)).all()
        found = [_from_row(row) for row in rows[:limit]]
        return RequestPage(found, found[-1].id if len(rows) > limit else last)

    def get(self, id_: UUID, tenant: str | None = None) -> tuple[LoggedRequest, LoggedExchange]:
        """Return a record, of a tenant if given, and its exchange; raise NotFound."""
        with self._database.begin() as connection:
            row = connection.execute(select(requests).where(requests.c.id == id_)).first()
            payloads = connection.execute(_PAYLOADS, {"id": id_}).first()
        if row is None or payloads is None or tenant not in {None, row.tenant}:
            message = f"There is no request {id_}: they are kept for RETENTION_DAYS. GET /api/v1/requests lists them."
            raise NotFound(message)
        return _from_row(row), LoggedExchange(payloads.request, payloads.response)

    def provider_calls(self, job_id: UUID, tenant: str | None = None) -> list[ProviderCall]:
        """Return the calls to providers of a job, those that a tenant pays if given, the first one first."""
        rows = self._database.run(_CALLS, {"job_id": job_id})
        return [_call_from_row(row) for row in rows if tenant in {None, row.tenant}]


def _matching(ids: Select[tuple[UUID]], others: Sequence[ColumnElement[bool]], limit: int) -> Select[Any]:
    # OFFSET 0 keeps PostgreSQL from merging the two queries: it would trust its estimate of how soon the other filters
    # match, and read millions of records where they do not.
    candidates = ids.offset(0).subquery()
    query = select(requests).join(candidates, candidates.c.id == requests.c.id).where(*others)
    return query.order_by(candidates.c.id.desc()).limit(limit)


def _bounds(wanted: RequestFilter, before: UUID | None) -> list[ColumnElement[bool]]:
    """Return conditions on the id, which contains the time: one index serves both the order and the bounds."""
    bounds = []
    if wanted.start is not None:
        bounds.append(requests.c.id >= first_id_at(_next_millisecond(wanted.start)))
    if wanted.end is not None:
        bounds.append(requests.c.id < first_id_at(_next_millisecond(wanted.end)))
    if before is not None:
        bounds.append(requests.c.id < before)
    return bounds


def _filters(wanted: RequestFilter) -> tuple[list[ColumnElement[bool]], list[ColumnElement[bool]]]:
    """Return the filter whose index is used, if any, and the other filters."""
    values = {name: value for name in INDEXED if (value := getattr(wanted, name)) is not None}
    first = next((name for name, value in values.items() if INDEXED[name](value)), None)
    conditions = {name: requests.c[name] == value for name, value in values.items()}
    indexed = [conditions.pop(first)] if first is not None else []
    return indexed, list(conditions.values())


def _next_millisecond(moment: datetime) -> datetime:
    """Round up to whole milliseconds, the precision of records."""
    return moment + timedelta(microseconds=-moment.microsecond % 1000)


def _from_row(row: Row[Any]) -> LoggedRequest:
    usage = Usage(
        prompt_tokens=row.saved_prompt_tokens,
        completion_tokens=row.saved_completion_tokens,
        total_tokens=row.saved_total_tokens,
        cached_tokens=row.saved_cached_tokens,
    )
    return LoggedRequest(
        id=row.id,
        at=row.at,
        client=row.client,
        tenant=row.tenant,
        task_type=row.task_type,
        cache_key=row.cache_key,
        outcome=row.outcome,
        status=row.status,
        latency_ms=row.latency_ms,
        job_id=row.job_id,
        request_id=row.request_id,
        trace_id=None if row.trace_id is None else row.trace_id.replace("-", ""),
        error=None if row.request is None else row.request.get("error"),
        calls=1 if row.request is None else row.request.get("calls", 1),
        saved=Saved(usage, row.saved_cost, row.saved_ms or 0) if row.outcome in _TIERS else None,
    )


def _call_from_row(row: Row[Any]) -> ProviderCall:
    return ProviderCall(
        id=row.id,
        attempt=row.attempt,
        provider=row.provider,
        model=row.model,
        outcome=row.outcome,
        error_code=row.error_code,
        usage=Usage(row.prompt_tokens, row.completion_tokens, row.total_tokens, row.cached_tokens),
        cost=row.cost,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )
