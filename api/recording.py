"""Collects what is known about a call that asks, and records it with exactly one outcome."""

import hashlib
import time
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from api.bootstrap import ApiServices
from api.dialects.base import Endpoint
from api.hit import PreparedAnswer
from api.limits.windows import Rate
from api.request_log.records import RequestRecord, Saved
from api.request_log.redaction import redacted_input, redacted_pointer
from api.tracing import CallIds, CallTrace
from shared.domain.request import Client, Picture, PictureUrl, Request
from shared.errors import AskOnceError, InvalidRequest, RequestError, RequestNotRecorded
from shared.jobs.job import Job
from shared.times import new_id_text


class Asked(NamedTuple):
    """What the record of a valid request holds. `sent`: how a picture was sent; None for text, which the job holds."""

    task_type: str
    cache_key: str
    sent: dict[str, Any] | None


def asked_of(request: Request, *, redact: bool) -> Asked:
    """Return what the record of a request holds; `redact`: a picture's address becomes a digest.

    The answer for a picture may come from a job that got the same picture in another way, so the record says how.
    """
    sent = None
    if isinstance(request.input, PictureUrl | Picture):
        given = request.input.as_body()
        sent = {"input": redacted_input(given) if redact else given}
    return Asked(request.task_type, request.key, sent)


OK = 200


E_co = TypeVar("E_co", bound=Endpoint, covariant=True)


@dataclass(slots=True)
class CallProgress(Generic[E_co]):
    """What is known about a call so far; at first, that it failed.

    `prefer`: its header of this name. `rates`: how the client stands with its limits.
    """

    request_id: str
    client: Client
    dialect: E_co
    prefer: str | None = None
    started: float = field(default_factory=time.perf_counter)
    body: bytes = b""
    digest: dict[str, Any] | None = None
    asked: Asked | None = None
    refused_task_type: str | None = None
    outcome: str = "error"
    status: int = 500
    error_code: str | None = "internal_error"
    job_id: str | None = None
    wrong_fields: tuple[str, ...] = ()
    rates: tuple[Rate, ...] = ()
    saved: Saved | None = None
    trace: CallTrace | None = None

    @property
    def ids(self) -> CallIds:
        """By what the call is known."""
        return CallIds(self.request_id, self.trace)

    @property
    def trace_id(self) -> str | None:
        """The id of its trace, if it has one."""
        return None if self.trace is None else self.trace.own.trace_id

    @property
    def task_type(self) -> str | None:
        """The task type of the request; None if it could not be read."""
        if self.asked is not None:
            return self.asked.task_type
        return self.refused_task_type or self.dialect.task_type

    def refused(self, error: AskOnceError) -> None:
        """Note why the request is refused, and which of its fields are wrong."""
        self.error_code = error.code
        if isinstance(error, RequestError):
            self.refused_task_type = error.task_type
        if isinstance(error, InvalidRequest):
            self.wrong_fields = tuple(each.pointer for each in error.errors)

    def accepted(self, job_id: UUID, outcome: str) -> None:
        """Note the job that will answer. Keeps only the digest of the body, because the call may wait for long."""
        self.error_code, self.outcome, self.job_id = None, outcome, str(job_id)
        self.digest, self.body = self.body_digest(), b""

    def joined(self, job: Job) -> None:
        """Note that the answer may be made in another trace."""
        if self.trace is not None:
            self.trace.joined(job.trace)

    def hit(self, tier: str, job_id: str | None, saved: Saved | None) -> None:
        """Note that a tier had the answer. `job_id`: of the job that made it; None if it is of several."""
        self.error_code, self.outcome, self.job_id, self.saved = None, tier, job_id, saved

    def body_digest(self) -> dict[str, Any]:
        """Return the size and the sha256 of the body."""
        if self.digest is not None:
            return self.digest
        return {"bytes": len(self.body), "sha256": hashlib.sha256(self.body).hexdigest()}

    def mark_internal_error(self) -> None:
        """Note that the call ends with an unexpected error, and forget its outcome so far."""
        self.outcome, self.status, self.error_code, self.saved = "error", 500, "internal_error", None

    def milliseconds(self) -> float:
        """Return how long the call has taken so far."""
        return int((time.perf_counter() - self.started) * 1_000_000) / 1000


def keep_hit(
    call: CallProgress[Endpoint], asked: Asked, tier: str, found: PreparedAnswer, services: ApiServices
) -> bool:
    """Record a hit; return False when the record must be kept and can't be, so that the client gets an error."""
    latency = call.milliseconds()
    task_type, key, sent = asked
    answered = (task_type, key, found.job_id, call.request_id, found.saved, sent)
    client = call.client
    record = RequestRecord(new_id_text(), client.name, client.tenant, tier, OK, latency, *answered)
    return _kept(record, call, services)


def keep_record(progress: CallProgress[Endpoint], services: ApiServices) -> bool:
    """Record the call; return False when the record must be kept and can't be, so that the client gets an error."""
    return _kept(_record(progress, services), progress, services)


def record_refused(
    ids: CallIds, client: Client | None, dialect: Endpoint, error: AskOnceError, services: ApiServices
) -> None:
    """Record a call whose body was never read, or for which there was no room. Never waits.

    One whose client is not known (None) is only counted: a stranger could fill the log.
    """
    status = dialect.refused(error).status
    if client is None:
        services.metrics.requests.count(dialect.task_type, "error", status, 0.0)
        return
    progress = CallProgress(ids.request_id or new_id_text(), client, dialect, status=status, digest={}, trace=ids.trace)
    progress.refused(error)
    record = _record(progress, services)
    services.request_log.buffer(record)
    services.metrics.requests.count(record.task_type, record.outcome, status, record.latency_ms)
    if progress.trace is not None:
        progress.trace.end(record)


def _kept(record: RequestRecord, progress: CallProgress[Endpoint], services: ApiServices) -> bool:
    trace = progress.trace
    if trace is not None:
        record = record._replace(trace_id=trace.id_on_record(record.outcome))
    kept = services.request_log.record(record)
    if not kept:
        refused = {**progress.body_digest(), "error": RequestNotRecorded.code}
        record = record._replace(outcome="error", status=503, saved=None, request=refused)
        services.request_log.buffer(record)
    services.metrics.requests.count(record.task_type, record.outcome, record.status, record.latency_ms)
    if trace is not None:
        trace.end(record)
    return kept


def _record(progress: CallProgress[Endpoint], services: ApiServices) -> RequestRecord:
    asked = progress.asked
    return RequestRecord(
        id=new_id_text(),
        client=progress.client.name,
        tenant=progress.client.tenant,
        outcome=progress.outcome,
        status=progress.status,
        latency_ms=progress.milliseconds(),
        task_type=progress.task_type,
        cache_key=None if asked is None else asked.cache_key,
        job_id=progress.job_id,
        request_id=progress.request_id,
        trace_id=progress.trace_id,
        saved=progress.saved,
        request=_small_request(progress, redact=services.settings.log_payloads == "digest"),
    )


def _small_request(progress: CallProgress[Endpoint], *, redact: bool) -> dict[str, Any] | None:
    """Return what the job's row does not hold: why and what was refused, or how a picture was sent."""
    if progress.error_code is not None:
        refusal = {**progress.body_digest(), "error": progress.error_code}
        fields = [redacted_pointer(each) if redact else each for each in progress.wrong_fields]
        return {**refusal, "fields": fields} if fields else refusal
    return None if progress.asked is None else progress.asked.sent
