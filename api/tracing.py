"""The trace of a call that asks: its own span, those of the tiers, and what its job inherits.

Spans of hits are sampled by the id of their trace, so that all processes decide alike.
"""

import time
from dataclasses import dataclass

from api.request_log.records import RequestRecord
from shared.cache.lookup import FIRST, SECOND
from shared.cache.steps import CopyToFirst, Note, ReadFirst, ReadSecond, Step
from shared.traces.context import TraceContext, new_trace, parse_traceparent
from shared.traces.spans import Kind, Span, Tracer

HITS = frozenset({FIRST, SECOND})
SERVER_ERROR = 500

_RANDOM_DIGITS = 14
"""The last ones of a trace's id are random: https://www.w3.org/TR/trace-context-2/#random-trace-id-flag."""
_DRAWS = 1 << 56

_SYSTEMS = {ReadFirst: (FIRST, "get"), ReadSecond: (SECOND, "get"), CopyToFirst: (FIRST, "cas")}


class Tracing:
    """Begins the traces of calls."""

    def __init__(self, tracer: Tracer, hit_ratio: float) -> None:
        """`hit_ratio`: the share of hits that get a span, from 0 to 1."""
        self.is_on = tracer.is_on
        self._tracer = tracer
        self._hits_below = round(hit_ratio * _DRAWS)

    def begin(self, traceparent: str | None, route: str) -> "CallTrace | None":
        """Return the trace of a call: the client's, or a new one; None without either.

        `traceparent`: the header, if there is one. `route`: the path. A client that does not record its trace gets no
        spans of ours in it either.
        """
        parent = parse_traceparent(traceparent)
        if not self.is_on or (parent is not None and not parent.sampled):
            return None if parent is None else CallTrace(parent, None, None)
        own = new_trace() if parent is None else parent.child()
        return CallTrace(own, parent, _Recording(self._tracer, route, self._takes_hit(own.trace_id)))

    def _takes_hit(self, trace_id: str) -> bool:
        return int(trace_id[-_RANDOM_DIGITS:], 16) < self._hits_below


class _Recording:
    """The spans of a call that is not over."""

    def __init__(self, tracer: Tracer, route: str, takes_hit: bool) -> None:  # noqa: FBT001  one of three facts
        self.tracer, self.route, self.takes_hit = tracer, route, takes_hit
        self.begun = time.time_ns()
        self.parts: list[Span] = []
        self.joined: TraceContext | None = None


class CallTrace:
    """Where a call is in its trace. Used by one thread or coroutine after the other."""

    def __init__(self, own: TraceContext, parent: TraceContext | None, recording: _Recording | None) -> None:
        """`own`: the call's span, or the client's where the call has none. Without `recording` no span is made."""
        self.own = own
        self._parent = parent
        self._recording = recording

    @property
    def note(self) -> Note | None:
        """What takes the steps of a lookup in the tiers, if anybody wants them."""
        return None if self._recording is None else self._step

    def for_job(self) -> TraceContext:
        """Return the span that the attempts of a new job belong to. It is made then, whatever becomes of the call."""
        if self._recording is not None:
            self._recording.takes_hit = True
        return self.own

    def joined(self, job: TraceContext | None) -> None:
        """Note that the call waits for a job that may be in another trace."""
        if self._recording is not None and job != self.own:
            self._recording.joined = job

    def id_on_record(self, outcome: str) -> str | None:
        """Return the trace's id; None for one of our own of which nothing is kept, as of most hits."""
        recording = self._recording
        is_known = recording is None or self._parent is not None or recording.takes_hit or outcome not in HITS
        return self.own.trace_id if is_known else None

    def end(self, record: RequestRecord) -> None:
        """Hand on the spans of the call."""
        recording, self._recording = self._recording, None
        if recording is None or (record.outcome in HITS and not recording.takes_hit):
            return
        error = None if record.request is None else record.request.get("error")
        attributes: dict[str, str | int | None] = {
            "http.request.method": "POST",
            "http.route": recording.route,
            "http.response.status_code": record.status,
            "askonce.outcome": record.outcome,
            "askonce.task_type": record.task_type,
            "askonce.job.id": record.job_id,
            "askonce.request.id": record.request_id,
            "askonce.error": error,
        }
        recording.tracer.add(
            Span(
                name=f"POST {recording.route}",
                kind="server",
                context=self.own,
                parent=self._parent,
                begun=recording.begun,
                ended=time.time_ns(),
                attributes={name: value for name, value in attributes.items() if value is not None},
                error=error if record.status >= SERVER_ERROR else None,
                linked=recording.joined,
            )
        )
        for part in recording.parts:
            recording.tracer.add(part)

    def _step(self, step: Step, begun: int, ended: int, is_down: bool) -> None:  # noqa: FBT001  as in `Note`
        if self._recording is None:
            return
        system, operation = _SYSTEMS[type(step)]
        kind: Kind = "client"
        self._recording.parts.append(
            Span(
                name=f"{operation} {system}",
                kind=kind,
                context=self.own.child(),
                parent=self.own,
                begun=begun,
                ended=ended,
                attributes={"db.system.name": system, "db.operation.name": operation},
                error="down" if is_down else None,
            )
        )


@dataclass(frozen=True, slots=True)
class CallIds:
    """By what a call is known: X-Request-ID, and its trace if it has one."""

    request_id: str | None
    trace: CallTrace | None = None

    @property
    def note(self) -> Note | None:
        """What takes the steps of a lookup in the tiers, if anybody wants them."""
        return None if self.trace is None else self.trace.note

    def for_job(self) -> TraceContext | None:
        """Return the span that the attempts of a new job belong to."""
        return None if self.trace is None else self.trace.for_job()


NO_IDS = CallIds(None)
