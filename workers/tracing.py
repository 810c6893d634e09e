"""Spans of what a worker does for a job: one for each attempt, and in it one for each call to a provider."""

import hashlib
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from shared.domain.routes import Route
from shared.errors import AskOnceError
from shared.jobs.errors import ProviderError
from shared.jobs.job import Job
from shared.traces.context import TraceContext
from shared.traces.spans import Span, Tracer
from workers import gen_ai
from workers.jobs.attempt import AttemptEnd, Ended
from workers.providers.base import Completion, ModelCall

T = TypeVar("T")
SPAN_BYTES = 8


def attempt_span(job: Job, tracer: Tracer) -> TraceContext | None:
    """Return the span of an attempt; None where there is none.

    Its id is a digest of the job and the claim, so that all who work for the attempt know it without being told.
    """
    if not tracer.is_on or job.trace is None or not job.trace.sampled:
        return None
    named = hashlib.blake2b(job.id.bytes + job.claims.to_bytes(4, "big"), digest_size=SPAN_BYTES)
    return job.trace.child(named.hexdigest())


def traced_attempt(job: Job, tracer: Tracer, run: Callable[[], AttemptEnd]) -> AttemptEnd:
    """Run an attempt and return its end."""
    context = attempt_span(job, tracer)
    if context is None:
        return run()
    begun, end = time.time_ns(), AttemptEnd(Ended.LOST)
    try:
        end = run()
    except AskOnceError as error:
        end = AttemptEnd(Ended.LOST, error.code)
        raise
    finally:
        tracer.add(
            Span(
                name=f"run {job.task_type}",
                kind="consumer",
                context=context,
                parent=job.trace,
                begun=begun,
                ended=time.time_ns(),
                attributes=_of_attempt(job, end),
                error=end.code,
            )
        )
    return end


def traced_call(job: Job, call: ModelCall, route: Route, tracer: Tracer, ask: Callable[[], Completion]) -> Completion:
    """Ask a provider and return its answer; raise its ProviderError."""
    attempt = attempt_span(job, tracer)
    if attempt is None:
        return ask()
    begun, asked = time.time_ns(), gen_ai.of_call(call, route)
    try:
        completion = ask()
    except ProviderError as error:
        used = {} if error.usage is None else gen_ai.of_usage(error.usage)
        tracer.add(_call_span(attempt, begun, {**asked, **used}, error.code))
        raise
    tracer.add(_call_span(attempt, begun, {**asked, **gen_ai.of_usage(completion.usage)}, None))
    return completion


def _of_attempt(job: Job, end: AttemptEnd) -> Mapping[str, str | int]:
    return {
        "askonce.job.id": str(job.id),
        "askonce.task_type": job.task_type,
        "askonce.queue": job.queue,
        "askonce.attempt": job.attempts,
        "askonce.attempt.end": end.ended.value,
        **({} if job.request_id is None else {"askonce.request.id": job.request_id}),
    }


def _call_span(
    attempt: TraceContext, begun: int, attributes: Mapping[str, str | int | float], error: str | None
) -> Span:
    return Span(
        name=gen_ai.span_name(attributes),
        kind="client",
        context=attempt.child(),
        parent=attempt,
        begun=begun,
        ended=time.time_ns(),
        attributes=attributes,
        error=error,
    )
