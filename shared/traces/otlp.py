"""Sends spans to an OTLP receiver over HTTP, by OpenTelemetry's SDK: in batches, from a thread of its own.

A receiver that is slow or away delays nothing: spans wait in a bounded queue, and those beyond it are lost and counted.
"""

import logging
import threading
from collections.abc import Mapping, Sequence

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import Tracer as SdkTracer

from shared.logs.throttle import LogThrottle
from shared.traces.context import TraceContext
from shared.traces.spans import Span

QUEUE = 2048
BATCH = 512
INTERVAL_MILLISECONDS = 1000
EXPORT_SECONDS = 5.0
CLOSE_SECONDS = 0.5
"""How long the end of a process waits for the last batch."""

KINDS = {"server": SpanKind.SERVER, "client": SpanKind.CLIENT, "consumer": SpanKind.CONSUMER}

logger = logging.getLogger(__name__)


class OtlpTracer:
    """Takes spans from any thread."""

    is_on = True

    def __init__(self, endpoint: str, headers: Mapping[str, str]) -> None:
        """`endpoint`: the whole URL. `headers`: such as the receiver's key."""
        self._endpoint, self._headers = endpoint, headers
        self._ids = _GivenIds()
        self._queue = _Queue()
        self._provider: TracerProvider | None = None
        self._tracer: SdkTracer | None = None

    def start(self, service: str) -> None:
        """Start the thread that sends."""
        exporter = OTLPSpanExporter(self._endpoint, headers=self._headers, timeout=EXPORT_SECONDS)
        provider = TracerProvider(
            ALWAYS_ON,  # what is not to be recorded is never made
            Resource.create({"service.name": service}),
            shutdown_on_exit=False,
            id_generator=self._ids,
        )
        provider.add_span_processor(
            BatchSpanProcessor(_Counted(exporter, self._queue), QUEUE, INTERVAL_MILLISECONDS, BATCH)
        )
        self._provider, self._tracer = provider, provider.get_tracer("askonce")

    def add(self, span: Span) -> None:
        """Put a span into the queue, unless that is full."""
        tracer = self._tracer
        if tracer is None or not self._queue.has_room():
            return
        self._ids.give(span.context)
        made = tracer.start_span(
            span.name,
            Context() if span.parent is None else _around(span.parent),
            KINDS[span.kind],
            span.attributes,
            [] if span.linked is None else [Link(_known(span.linked))],
            span.begun,
        )
        if span.error is not None:
            made.set_attribute("error.type", span.error)
            made.set_status(Status(StatusCode.ERROR))
        made.end(span.ended)

    def close(self) -> None:
        """Send what waits, for at most half a second: the receiver must not hold up the end of the process."""
        provider, self._provider, self._tracer = self._provider, None, None
        if provider is not None:
            closing = threading.Thread(target=provider.shutdown, name="end of traces", daemon=True)
            closing.start()
            closing.join(CLOSE_SECONDS)


class _GivenIds(IdGenerator):
    """Gives the next span of this thread the ids that it has already: others have referred to them."""

    def __init__(self) -> None:
        self._next = threading.local()

    def give(self, context: TraceContext) -> None:
        """Note the ids."""
        self._next.context = context

    def generate_trace_id(self) -> int:
        """Return the noted one."""
        return int(self._next.context.trace_id, 16)

    def generate_span_id(self) -> int:
        """Return the noted one."""
        return int(self._next.context.span_id, 16)


class _Queue:
    """Counts the spans that wait, and those that are lost."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._throttle = LogThrottle()
        self._waiting = self._lost = 0

    def has_room(self) -> bool:
        """Take a place for a span; return False, and count it as lost, if there is none."""
        with self._lock:
            if self._waiting < QUEUE:
                self._waiting += 1
                return True
        self.lost(1)
        return False

    def taken(self, spans: int) -> None:
        """Note that so many spans wait no longer."""
        with self._lock:
            self._waiting -= spans

    def lost(self, spans: int) -> None:
        """Count lost spans; say so once a minute."""
        with self._lock:
            self._lost += spans
            is_news = self._throttle.allows("lost")
        if is_news:
            logger.warning("Spans are lost: their receiver does not take them", extra={"so_far": self._lost})


class _Counted(SpanExporter):
    """Counts what is sent, and what could not be sent: the SDK would log a line or more for each batch."""

    def __init__(self, exporter: SpanExporter, queue: _Queue) -> None:
        self._exporter, self._queue = exporter, queue

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans."""
        self._queue.taken(len(spans))
        result = self._exporter.export(spans)
        if result is not SpanExportResult.SUCCESS:
            self._queue.lost(len(spans))
        return result

    def shutdown(self) -> None:
        """Close the connection."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Do nothing: nothing waits here."""
        return self._exporter.force_flush(timeout_millis)


def _known(context: TraceContext) -> SpanContext:
    return SpanContext(int(context.trace_id, 16), int(context.span_id, 16), is_remote=True, trace_flags=TraceFlags(1))


def _around(parent: TraceContext) -> Context:
    return set_span_in_context(NonRecordingSpan(_known(parent)), Context())
