"""One call of predict, from the bytes that came to the bytes that leave, on record with exactly one outcome."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from api.cache_status import cache_status
from api.directives import CacheDirectives, cache_directives
from api.documents import hit_body, job_document, job_path
from api.intake import Rules, read_request
from api.patience import POLL_AFTER_SECONDS, await_end
from api.problems import cancelled_job_reply, error_reply, failed_job_reply
from api.reply import Reply, json_reply
from api.service import Accepted, Hit, NotServed, submit
from shared.bootstrap import Services
from shared.errors import AskOnceError, NotCached
from shared.jobs import JobStatus
from shared.request import ANONYMOUS, Request, TextInput
from shared.request_log import Record
from shared.times import now


@dataclass(frozen=True, slots=True)
class Call:
    """What a client sent. `read_body` raises RequestTooLarge beyond the limit that it is given in bytes."""

    content_type: str
    cache_control: str | None
    prefer: str | None
    read_body: Callable[[int], bytes]


@dataclass(slots=True)
class _Progress:
    """What is known about a call so far, for its record."""

    started: float = field(default_factory=time.perf_counter)
    body: bytes = b""
    request: Request | None = None
    outcome: str = "error"
    status: int = 500
    error_code: str | None = "internal_error"
    job_id: UUID | None = None


def predict(call: Call, services: Services, rules: Rules) -> Reply:
    """Answer a call. Every AskOnceError becomes a problem; anything else is recorded and raised on."""
    progress = _Progress()
    try:
        reply = _answer(call, services, rules, progress)
        progress.status = reply.status
        return reply
    finally:
        _record(progress, services)


def _answer(call: Call, services: Services, rules: Rules, progress: _Progress) -> Reply:
    directives = cache_directives(call.cache_control)
    try:
        progress.body = call.read_body(rules.max_body_bytes)
        request = progress.request = read_request(call.content_type, progress.body, ANONYMOUS, rules)
        served = submit(request, directives, services)
    except AskOnceError as err:
        progress.error_code = err.code
        return error_reply(err)
    progress.error_code = None
    if isinstance(served, Hit):
        progress.outcome, progress.job_id = served.lookup.visits[-1].tier, served.answer.job_id
        return _hit_reply(served, request)
    if isinstance(served, NotServed):
        progress.outcome = "miss" if isinstance(served.error, NotCached) else "error"
        progress.error_code = served.error.code
        return error_reply(served.error, {"Cache-Status": cache_status(served.lookup)})
    progress.outcome, progress.job_id = _outcome(served, directives), served.job.id
    return _job_reply(served, call.prefer, services)


def _outcome(accepted: Accepted, directives: CacheDirectives) -> str:
    if accepted.joined:
        return "joined"
    return "bypass" if directives.bypasses else "miss"


def _hit_reply(hit: Hit, request: Request) -> Reply:
    headers = {"Cache-Status": cache_status(hit.lookup), "Age": str(int(hit.lookup.age))}
    return Reply(200, hit_body(hit.answer, hit.lookup, request.key), headers=headers)


def _job_reply(accepted: Accepted, prefer: str | None, services: Services) -> Reply:
    """Answer with the job, or with what became of it where the client preferred to wait."""
    job, headers = await_end(accepted.job, prefer, services)
    headers["Cache-Status"] = cache_status(accepted.lookup, collapsed=accepted.joined)
    if job.status is JobStatus.COMPLETED:
        return json_reply(job_document(job), headers=headers)
    if job.status is JobStatus.FAILED:
        return failed_job_reply(job, headers)
    if job.status is JobStatus.CANCELLED:
        return cancelled_job_reply(job, headers)
    location = {"Location": job_path(job.id), "Retry-After": POLL_AFTER_SECONDS}
    return json_reply(job_document(job), status=202, headers={**headers, **location})


def _record(progress: _Progress, services: Services) -> None:
    latency_ms = (time.perf_counter() - progress.started) * 1000
    request = progress.request
    task_type = None if request is None else request.task_type
    services.metrics.count_request(task_type, progress.outcome, progress.status, latency_ms)
    services.request_log.record(
        Record(
            id=uuid7(),
            at=now(),
            client=ANONYMOUS.name if request is None else request.client.name,
            outcome=progress.outcome,
            status=progress.status,
            latency_ms=latency_ms,
            task_type=task_type,
            cache_key=None if request is None else request.key,
            job_id=progress.job_id,
            request=_small_request(progress),
        )
    )


def _small_request(progress: _Progress) -> dict[str, Any] | None:
    """Return what the job's row may not say: why and what was refused, or how a picture was sent.

    A picture's answer may come from a job that was sent the same picture in another way.
    """
    if progress.error_code is not None:
        digest = hashlib.sha256(progress.body).hexdigest()
        return {"bytes": len(progress.body), "sha256": digest, "error": progress.error_code}
    if progress.request is not None and not isinstance(progress.request.input, TextInput):
        return {"input": progress.request.input.as_body()}
    return None
