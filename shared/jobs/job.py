"""A job: the durable promise of an answer. PostgreSQL holds the truth about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from shared.domain.answer import Usage
from shared.domain.routes import Route
from shared.errors import AskOnceError
from shared.traces.context import TraceContext


class JobStatus(StrEnum):
    """The status of a job."""

    QUEUED = "queued"  # waits for a worker, or for its time
    IN_PROGRESS = "in_progress"  # a worker holds its lease
    COMPLETED = "completed"  # has its answer
    FAILED = "failed"  # has its error
    CANCELLED = "cancelled"  # nobody wants it any more

    @property
    def ended(self) -> bool:
        """Whether the job will never change again."""
        return self in ENDED


_ENDS = (".", "!", "?", "…")
ENDED = (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED)


@dataclass(frozen=True, slots=True)
class JobFailure:
    """Why a job failed."""

    code: str
    title: str
    detail: str
    retryable: bool

    @classmethod
    def of(cls, error: AskOnceError) -> "JobFailure":
        """Return what clients are told of an error that ends a job: its detail, and what to do next."""
        detail = error.detail
        if error.remedy:
            detail = f"{detail}{'' if detail.endswith(_ENDS) else '.'} {error.remedy}"
        return cls(error.code, error.title, detail, error.retryable)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownJob:
    """What clients see of a job, as it was when its row was read.

    `trace`: the span that its attempts belong to, None where there is none.
    """

    id: UUID
    task_type: str
    provider: str
    model: str
    cache_key: str
    status: JobStatus
    result: Mapping[str, Any] | None
    stale: bool
    failure: JobFailure | None
    usage: Usage
    attempts: int
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    trace: TraceContext | None = None

    @property
    def trace_id(self) -> str | None:
        """The id of its trace, if it has one."""
        return None if self.trace is None else self.trace.trace_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(ShownJob):
    """A job as it was when its row was read.

    `claims`: how often it was claimed; the fence of the worker that claimed it last. `picture_sha256`: the digest of an
    uploaded picture. `content_sha256`: the digest of the picture that an earlier attempt fetched by its address.
    `fallbacks`: who is asked when `model` can't answer, in order; nobody if the request named its model.
    `request_id`: the X-Request-ID of the request that made the job. `budgeted`: whether budgets pay its calls.
    `streams`: whether a client wants the answer in pieces, while it is made. `begun_call`: the call to a provider that
    was recorded together with the claim; None if there is none.
    """

    namespace: str
    budgeted: bool
    queue: str
    fallbacks: tuple[Route, ...]
    picture_sha256: str | None
    content_sha256: str | None
    sharable: bool
    refresh: bool
    streams: bool
    request: Mapping[str, Any]
    request_id: str | None
    claims: int
    deadline_at: datetime
    begun_call: UUID | None = field(default=None, compare=False)

    @property
    def route(self) -> Route:
        """Who is asked first."""
        return Route(self.provider, self.model)
