"""Reading the request log: pages of it, newest first, and one request with all that was asked and answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, select, text

from shared.answer import Usage
from shared.db.engine import Database
from shared.db.models import requests
from shared.errors import NotFound
from shared.ids import first_id_at
from shared.request_log import Saved

_TIERS = ("memcached", "redis")
_PAYLOADS = text("SELECT request, response FROM request_log WHERE id = :id")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFilter:
    """Which requests: at or after `start`, before `end`, and with these values; None is any."""

    start: datetime | None = None
    end: datetime | None = None
    task_type: str | None = None
    outcome: str | None = None
    status: int | None = None
    job_id: UUID | None = None
    client: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """One call of predict as it is on record. `error`: a refusal's code. `saved`: what a hit did not cost again."""

    id: UUID
    at: datetime
    client: str
    task_type: str | None
    cache_key: str | None
    outcome: str
    status: int
    latency_ms: float
    job_id: UUID | None
    error: str | None
    saved: Saved | None


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was asked, in the shape of predict's body, and what was answered, in the shape of `result`, if anything."""

    request: Mapping[str, Any]
    response: Mapping[str, Any] | None


class RequestStore:
    """Reads the table `requests`. Every method raises DatabaseUnavailable when PostgreSQL is away."""

    def __init__(self, database: Database) -> None:
        """Take the database."""
        self._database = database

    def page(self, wanted: RequestFilter, *, limit: int, before: UUID | None) -> tuple[list[LoggedRequest], bool]:
        """List requests, newest first, those older than `before`; the second value says whether there are more."""
        query = select(requests).where(*_conditions(wanted)).order_by(requests.c.id.desc()).limit(limit + 1)
        if before is not None:
            query = query.where(requests.c.id < before)
        with self._database.begin() as connection:
            rows = connection.execute(query).all()
        return [_from_row(row) for row in rows[:limit]], len(rows) > limit

    def get(self, id_: UUID) -> tuple[LoggedRequest, Exchange]:
        """Return a request with what was asked and answered; raise NotFound."""
        with self._database.begin() as connection:
            row = connection.execute(select(requests).where(requests.c.id == id_)).first()
            payloads = connection.execute(_PAYLOADS, {"id": id_}).first()
        if row is None or payloads is None:
            message = f"There is no request {id_}: records are kept for a limited time."
            raise NotFound(message)
        return _from_row(row), Exchange(payloads.request, payloads.response)


def _conditions(wanted: RequestFilter) -> list[ColumnElement[bool]]:
    # By id, for ids are times: one index gives the order and the bounds.
    bounds = []
    if wanted.start is not None:
        bounds.append(requests.c.id >= first_id_at(_next_millisecond(wanted.start)))
    if wanted.end is not None:
        bounds.append(requests.c.id < first_id_at(_next_millisecond(wanted.end)))
    names = ("task_type", "outcome", "status", "job_id", "client")
    values = {name: getattr(wanted, name) for name in names}
    return [*bounds, *(requests.c[name] == value for name, value in values.items() if value is not None)]


def _next_millisecond(moment: datetime) -> datetime:
    """Round up to whole milliseconds, as exact as records are."""
    return moment + timedelta(microseconds=-moment.microsecond % 1000)


def _from_row(row: Row[Any]) -> LoggedRequest:
    usage = Usage(row.saved_prompt_tokens, row.saved_completion_tokens, row.saved_total_tokens)
    return LoggedRequest(
        id=row.id,
        at=row.at,
        client=row.client,
        task_type=row.task_type,
        cache_key=row.cache_key,
        outcome=row.outcome,
        status=row.status,
        latency_ms=row.latency_ms,
        job_id=row.job_id,
        error=None if row.request is None else row.request.get("error"),
        saved=Saved(usage, row.saved_cost, row.saved_ms or 0) if row.outcome in _TIERS else None,
    )
