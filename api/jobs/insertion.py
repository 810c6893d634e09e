"""The statement that inserts new jobs: plain SQL, made once for each number of rows."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from api.request_log.redaction import kept_request
from shared.db.tables import LIVE
from shared.domain.answer import Usage
from shared.domain.estimates import Estimate
from shared.domain.request import Picture, Request
from shared.domain.routes import documents
from shared.jobs.job import Job, JobStatus
from shared.jobs.transitions import ACCEPT
from shared.times import new_id
from shared.traces.context import TraceContext

GROUP_LOCK_MILLISECONDS = 100
"""How long a group of jobs waits for another transaction that has one of their keys, before each waits for its own."""

COLUMNS = (
    *(
        "id",
        "client",
        "tenant",
        "key_id",
        "budgeted",
        "namespace",
        "task_type",
        "queue",
        "provider",
        "model",
        "fallbacks",
        "cache_key",
    ),
    *("picture_sha256", "sharable", "refresh", "streams", "request", "request_id", "traceparent", "redacted_request"),
)
"""Those that differ from job to job, in the order in which `_row` returns them."""


@dataclass(frozen=True, slots=True, eq=False)
class NewJob:
    """A job to make. `still_wanted` tells, once no other job can come in between, whether no tier has the answer.

    `estimate`: what its call may cost at most; None where no budget asks. `trace`: the span that asks for it.
    """

    request: Request
    sharable: bool
    refresh: bool
    request_id: str | None
    still_wanted: Callable[[], bool]
    estimate: Estimate | None = None
    trace: TraceContext | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for all new jobs.

    `deadline_seconds`: within which they must have ended. `republish_seconds`: after which their message is taken for
    lost. `redact`: whether their rows hold digests in place of texts once they have ended.
    """

    deadline_seconds: float
    republish_seconds: float
    redact: bool = False


class Insertions:
    """The statement, for any number of jobs."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        later = "now() + interval '{} seconds'"
        self._columns, self._row = ACCEPT.insertion(
            **dict.fromkeys(COLUMNS, "%s"),
            not_before="now()",
            publish_at=later.format(float(terms.republish_seconds)),
            deadline_at=later.format(float(terms.deadline_seconds)),
        )
        self._statements: dict[int, str] = {}

    def run(self, wanted: Sequence[NewJob], connection: Connection) -> dict[NewJob, Job]:
        """Insert jobs, those with keys of jobs in flight left out; return what was inserted."""
        ids = {str(new_id()): new for new in wanted}
        rows = [self._values(name, new) for name, new in ids.items()]
        parameters = tuple(value for row in rows for value in row)
        inserted = connection.exec_driver_sql(self._statement(len(rows)), parameters)
        return {ids[str(row.id)]: _job(ids[str(row.id)], row) for row in inserted}

    def _statement(self, rows: int) -> str:
        if rows not in self._statements:
            # A group must not wait for a key that another transaction has taken; each of its jobs may, alone.
            patience = f"SET LOCAL lock_timeout = {GROUP_LOCK_MILLISECONDS}; " if rows > 1 else ""
            self._statements[rows] = (
                f"{patience}INSERT INTO jobs {self._columns}"  # noqa: S608  built of constants
                f" VALUES {', '.join([self._row] * rows)}"
                f" ON CONFLICT (cache_key) WHERE {LIVE} AND sharable DO NOTHING"
                " RETURNING id, created_at, deadline_at"
            )
        return self._statements[rows]

    def _values(self, name: str, new: NewJob) -> tuple[Any, ...]:
        request = new.request
        body = request.as_body()
        kept = kept_request(request, body, redact=self._terms.redact)
        return (
            name,
            request.client.name,
            request.client.tenant,
            request.client.key_id,
            request.client.is_budgeted,
            request.client.namespace,
            request.task_type,
            request.offer.task_type.queue,
            request.serving.provider,
            request.model,
            json.dumps(documents(request.fallbacks)) if request.fallbacks else None,
            request.key,
            request.input.sha256 if isinstance(request.input, Picture) else None,
            new.sharable,
            new.refresh,
            request.streams,
            _json(body),
            new.request_id,
            None if new.trace is None else new.trace.traceparent,
            None if kept is None else _json(kept),
        )


def _json(document: object) -> str:
    """Return JSON with letters as they are: escaped they would take up to three times the bytes."""
    return json.dumps(document, ensure_ascii=False)


def _job(new: NewJob, row: Any) -> Job:  # noqa: ANN401  a row of `id`, `created_at` and `deadline_at`
    """Return the job as reading its row would."""
    request = new.request
    return Job(
        id=UUID(str(row.id)),
        namespace=request.client.namespace,
        budgeted=request.client.is_budgeted,
        task_type=request.task_type,
        queue=request.offer.task_type.queue,
        provider=request.serving.provider,
        model=request.model,
        fallbacks=request.fallbacks,
        cache_key=request.key,
        picture_sha256=request.input.sha256 if isinstance(request.input, Picture) else None,
        content_sha256=None,
        sharable=new.sharable,
        refresh=new.refresh,
        streams=request.streams,
        status=JobStatus.QUEUED,
        request=request.as_body(),
        request_id=new.request_id,
        trace=new.trace,
        result=None,
        stale=False,
        failure=None,
        usage=Usage(),
        attempts=0,
        claims=0,
        created_at=row.created_at,
        deadline_at=row.deadline_at,
        started_at=None,
        completed_at=None,
    )
