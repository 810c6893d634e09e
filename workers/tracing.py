"""Spans of what a worker does: one for each attempt of a job or an audit, and in it one for each call to a provider."""

import hashlib
import time
from collections.abc import Callable, Mapping

from shared.domain.drift import Verdict
from shared.domain.routes import Route
from shared.errors import AskOnceError
from shared.jobs.errors import ProviderError
from shared.jobs.job import Job
from shared.traces.context import TraceContext, new_trace
from shared.traces.spans import Span, Tracer
from workers import gen_ai
from workers.jobs.attempt import AttemptEnd, Ended
from workers.providers.base import Completion, ModelCall

Audited = Callable[[], Verdict | None]
SPAN_BYTES = 8
WAITS, LOST = "waits", "lost"
"""In place of the verdict of an audit whose provider can't be asked now, and of one that nobody could write."""


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


def audit_span(tracer: Tracer) -> TraceContext | None:
    """Return the span of an attempt of an audit, in a trace of its own; None where there is none."""
    return new_trace() if tracer.is_on else None


def traced_audit(
    context: TraceContext | None, audited: TraceContext | None, facts: Mapping[str, str], tracer: Tracer, run: Audited
) -> Verdict | None:
    """Run an attempt of an audit and return its verdict; None if it has to wait.

    `audited`: the trace of the job whose answer it is about. `facts`: attributes.
    """
    if context is None:
        return run()
    begun, end, error = time.time_ns(), LOST, None
    try:
        verdict = run()
        end = verdict or WAITS
    except AskOnceError as err:
        error = err.code
        raise
    finally:
        tracer.add(
            Span(
                name="audit",
                kind="consumer",
                context=context,
                parent=None,
                begun=begun,
                ended=time.time_ns(),
                attributes={**facts, "askonce.audit.verdict": end},
                error=error,
                linked=audited,
            )
        )
    return verdict


def traced_call(
    attempt: TraceContext | None, call: ModelCall, route: Route, tracer: Tracer, ask: Callable[[], Completion]
) -> Completion:
    """Ask a provider and return its answer; raise its ProviderError. `attempt`: the span that the call belongs to."""
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
