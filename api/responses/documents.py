"""Responses as documents: what OpenAI's always have, and what Open Responses asks for.

https://platform.openai.com/docs/api-reference/responses/object, https://www.openresponses.org/specification
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.responses.output_items import incomplete_reason, output_items
from api.responses.record import ResponseRecord, response_name
from shared.domain.answer import Answer, Usage
from shared.jobs.job import JobFailure, JobStatus, ShownJob
from shared.times import moment_of

Json = dict[str, Any]

_ERROR_CODES = {"rate_limited": "rate_limit_exceeded", "provider_rejected": "invalid_prompt"}
"""Codes of OpenAI's for our errors; all others are `server_error`."""


@dataclass(frozen=True, slots=True)
class Made:
    """What has become of a response: the status of its job, and the chat completion once there is one."""

    status: JobStatus
    model: str
    completion: Mapping[str, Any] | None
    usage: Usage
    failure: JobFailure | None
    completed_at: datetime | None


def made_not_yet(model: str) -> Made:
    """Return what there is while the answer is made."""
    return Made(JobStatus.IN_PROGRESS, model, None, Usage(), None, None)


def made_by(job: ShownJob) -> Made:
    """Return what a job has made."""
    completion = None if job.result is None else job.result["completion"]
    return Made(job.status, job.model, completion, job.usage, job.failure, job.completed_at)


def made_before(answer: Answer) -> Made:
    """Return what a tier had."""
    completion, completed_at = answer.result["completion"], answer.completed_at
    return Made(JobStatus.COMPLETED, answer.model, completion, answer.usage, None, completed_at)


def response_document(record: ResponseRecord, made: Made) -> Json:
    """Return the response; its last member is `x_askonce`, whose last member is `tier`."""
    created = int(moment_of(record.id).timestamp())
    completion = made.completion
    reason = None if completion is None else incomplete_reason(completion)
    is_complete = made.status is JobStatus.COMPLETED and reason is None
    hit = record.hit or {"saved": None, "tier": None}
    return {
        "id": response_name(record.id),
        "object": "response",
        "created_at": created,
        "completed_at": max(created, int(made.completed_at.timestamp())) if is_complete and made.completed_at else None,
        "status": "incomplete" if reason else made.status.value,
        "background": record.background,
        "error": None if made.failure is None else _error(made.failure),
        "incomplete_details": {"reason": reason} if reason else None,
        **record.parameters,
        **_of_provider(record, made),
        "output": [] if completion is None else output_items(completion, record.id),
        "previous_response_id": None if record.previous_id is None else response_name(record.previous_id),
        "store": record.stored,
        "usage": None if completion is None else _usage(made, is_hit=record.hit is not None),
        "x_askonce": {"saved": hit["saved"], "job_id": str(record.job_id), "tier": hit["tier"]},
    }


def _of_provider(record: ResponseRecord, made: Made) -> Json:
    """Return the members that the provider has a say in."""
    completion = made.completion
    if completion is None:
        return {"model": record.model}
    model, tier = completion.get("model"), completion.get("service_tier")
    named = {"model": model if isinstance(model, str) else made.model}
    return {**named, "service_tier": tier} if isinstance(tier, str) else named


def _error(failure: JobFailure) -> Json:
    return {"code": _ERROR_CODES.get(failure.code, "server_error"), "message": f"{failure.title}: {failure.detail}"}


def _usage(made: Made, *, is_hit: bool) -> Json | None:
    """Return the tokens as responses count them, zero for a hit; None if the provider did not count them."""
    usage = made.usage
    if is_hit:
        return _counts(0, 0, 0, 0)
    if usage.prompt_tokens is None or usage.completion_tokens is None:
        return None
    return _counts(usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens or 0, _reasoning_tokens(made))


def _counts(read: int, written: int, cached: int, thought: int) -> Json:
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": read + written,
    }


def _reasoning_tokens(made: Made) -> int:
    match made.completion:
        case {"usage": {"completion_tokens_details": {"reasoning_tokens": int(count)}}}:
            return count
    return 0
