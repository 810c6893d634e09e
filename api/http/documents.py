"""Answers and jobs as JSON documents: always the same keys, null where unknown."""

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from api.http.reply import json_bytes
from api.request_log.records import LoggedExchange, LoggedRequest, ProviderCall, Saved
from shared.cache.lookup import Lookup
from shared.domain.answer import Answer
from shared.jobs.job import JobStatus, ShownJob
from shared.times import rfc3339

PREFIX = "/api/v1"


def job_path(job_id: UUID) -> str:
    """Return the path of a job."""
    return f"{PREFIX}/jobs/{job_id}"


_CACHE = b'"cache":null,'


@dataclass(frozen=True, slots=True)
class RenderedAnswer:
    """An answer as JSON, in two parts: what a lookup says of it comes between them."""

    before: bytes
    after: bytes


def render(answer: Answer) -> RenderedAnswer:
    """Return an answer from a tier as JSON; its id, times and usage are those of the job that made it."""
    whole = json_bytes(
        _document(
            status=JobStatus.COMPLETED,
            job_id=answer.job_id,
            task_type=answer.task_type,
            model=answer.model,
            provider=answer.provider,
            result=answer.result,
            error=None,
            usage=answer.usage.counts(),
            attempts=answer.attempts,
            trace_id=None,
            cache=None,
            created_at=rfc3339(answer.created_at),
            started_at=rfc3339(answer.started_at),
            completed_at=rfc3339(answer.completed_at),
        )
    )
    # Only our own times follow, so the last one is the right one, whatever the answer says.
    before, _, after = whole.rpartition(_CACHE)
    return RenderedAnswer(before, after)


def hit_body(rendered: RenderedAnswer, lookup: Lookup, key: str) -> bytes:
    """Return the JSON of a hit."""
    visit = lookup.visits[-1]
    stale = "true" if visit.ttl < 0 else "false"
    found = f'"hit":true,"tier":"{visit.tier}","age":{int(lookup.age)},"ttl":{visit.ttl},"key":"{key}","stale":{stale}'
    return b'%b"cache":{%b},%b' % (rendered.before, found.encode(), rendered.after)


def job_document(job: ShownJob) -> dict[str, Any]:
    """Return a job as a document; its result did not come from a tier."""
    return _document(
        status=job.status,
        job_id=job.id,
        task_type=job.task_type,
        model=job.model,
        provider=job.provider,
        result=job.result if job.status is JobStatus.COMPLETED else None,
        error=None if job.failure is None else asdict(job.failure),
        usage=job.usage.counts(),
        attempts=job.attempts,
        trace_id=job.trace_id,
        cache={"hit": False, "tier": None, "age": None, "ttl": None, "key": job.cache_key, "stale": job.stale},
        created_at=rfc3339(job.created_at),
        started_at=rfc3339(job.started_at),
        completed_at=rfc3339(job.completed_at),
    )


def request_document(logged: LoggedRequest) -> dict[str, Any]:
    """Return a record of the request log as a document, without request and response."""
    return {
        "id": str(logged.id),
        "at": rfc3339(logged.at),
        "client": logged.client,
        "tenant": logged.tenant,
        "task_type": logged.task_type,
        "cache_key": logged.cache_key,
        "outcome": logged.outcome,
        "status": logged.status,
        "latency_ms": round(logged.latency_ms, 3),
        "job_id": None if logged.job_id is None else str(logged.job_id),
        "request_id": logged.request_id,
        "trace_id": logged.trace_id,
        "error": logged.error,
        "calls": logged.calls,
        "saved": None if logged.saved is None else saved_document(logged.saved),
        "urls": {
            "self": f"{PREFIX}/requests/{logged.id}",
            "job": None if logged.job_id is None else job_path(logged.job_id),
        },
    }


def exchange_document(logged: LoggedRequest, exchange: LoggedExchange) -> dict[str, Any]:
    """Return a record of the request log as a document, with request and response."""
    return {**request_document(logged), "request": exchange.request, "response": exchange.response}


def provider_call_document(call: ProviderCall) -> dict[str, Any]:
    """Return a call to a provider as a document."""
    return {
        "id": str(call.id),
        "attempt": call.attempt,
        "provider": call.provider,
        "model": call.model,
        "outcome": call.outcome,
        "error_code": call.error_code,
        "usage": call.usage.counts(),
        "cost_usd": None if call.cost is None else float(call.cost),
        "started_at": rfc3339(call.started_at),
        "ended_at": rfc3339(call.ended_at),
    }


def saved_document(saved: Saved) -> dict[str, Any]:
    """Return what a hit saved as a document: tokens, US dollars (null if a price is not known), seconds."""
    cost = None if saved.cost is None else float(saved.cost)
    return {**saved.usage.counts(), "cost_usd": cost, "seconds": saved.milliseconds / 1000}


def _document(*, job_id: UUID, **members: Any) -> dict[str, Any]:  # noqa: ANN401  JSON is any of its types
    path = job_path(job_id)
    return {
        "status": members.pop("status"),
        "job_id": str(job_id),
        **members,
        "urls": {"self": path, "cancel": f"{path}/cancel"},
    }
