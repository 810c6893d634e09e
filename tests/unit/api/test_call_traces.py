import pytest

from api.request_log.records import RequestRecord
from api.tracing import CallTrace, Tracing
from shared.cache.steps import ReadFirst
from shared.traces.context import TraceContext
from shared.traces.spans import NoTracer
from tests.taken_spans import Taken

PARENT = TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", sampled=True)
UNRECORDED = PARENT._replace(sampled=False)
ROUTE = "/api/v1/predict"


def record(outcome: str, status: int = 200, error: str | None = None) -> RequestRecord:
    request = None if error is None else {"error": error}
    known = {"task_type": "sentiment", "job_id": "j", "request_id": "r", "request": request}
    return RequestRecord("id", "a", "t", outcome, status, 1.0, **known)  # type: ignore[arg-type]  # as the fields say


def ended(trace: CallTrace | None, outcome: str, status: int = 200, error: str | None = None) -> None:
    assert trace is not None
    trace.end(record(outcome, status, error))


@pytest.fixture
def taken() -> Taken:
    return Taken()


def test_without_a_header_and_with_traces_off_there_is_none() -> None:
    assert Tracing(NoTracer(), 1).begin(None, ROUTE) is None


@pytest.mark.parametrize(("tracer", "parent"), [(NoTracer(), PARENT), (Taken(), UNRECORDED)])
def test_a_clients_trace_goes_on_as_it_is_where_we_record_nothing(tracer: NoTracer, parent: TraceContext) -> None:
    trace = Tracing(tracer, 1).begin(parent.traceparent, ROUTE)
    assert trace is not None
    assert (trace.for_job(), trace.note, trace.id_on_record("memcached")) == (parent, None, parent.trace_id)


def test_a_call_is_a_span_within_its_clients(taken: Taken) -> None:
    trace = Tracing(taken, 0).begin(PARENT.traceparent, ROUTE)
    ended(trace, "miss", 202)
    (span,) = taken.spans
    assert (span.context.trace_id, span.parent, span.kind) == (PARENT.trace_id, PARENT, "server")


def test_a_new_trace_begins_with_the_call(taken: Taken) -> None:
    ended(Tracing(taken, 0).begin("garbage", ROUTE), "miss", 202)
    assert [each.parent for each in taken.spans] == [None]


def test_what_a_tier_was_asked_is_a_span_within_the_calls(taken: Taken) -> None:
    trace = Tracing(taken, 1).begin(None, ROUTE)
    assert trace is not None
    assert trace.note is not None
    trace.note(ReadFirst("key"), 1, 2, True)  # noqa: FBT003  as lookups call it
    ended(trace, "miss", 202)
    call, tier = taken.spans
    assert (tier.parent, tier.begun, tier.ended, tier.error) == (call.context, 1, 2, "down")


@pytest.mark.parametrize(("ratio", "spans"), [(0, 0), (1, 1)])
@pytest.mark.parametrize("tier", ["memcached", "redis"])
def test_hits_are_sampled(taken: Taken, ratio: float, spans: int, tier: str) -> None:
    trace = Tracing(taken, ratio).begin(None, ROUTE)
    assert trace is not None
    assert (trace.id_on_record(tier) is not None) == bool(spans)
    ended(trace, tier)
    assert len(taken.spans) == spans


def test_every_process_takes_the_same_hits() -> None:
    first, second = Taken(), Taken()
    parents = [TraceContext(f"{number * (1 << 50):032x}", PARENT.span_id, sampled=True) for number in range(1, 64)]
    for taken in (first, second):
        for parent in parents:
            ended(Tracing(taken, 0.5).begin(parent.traceparent, ROUTE), "redis")
    chosen = [[span.context.trace_id for span in taken.spans] for taken in (first, second)]
    assert chosen == [[parent.trace_id for parent in parents[:31]]] * 2


def test_a_hit_that_made_a_job_is_kept_because_the_job_belongs_to_it(taken: Taken) -> None:
    trace = Tracing(taken, 0).begin(None, ROUTE)
    assert trace is not None
    job = trace.for_job()
    ended(trace, "redis")
    assert [each.context for each in taken.spans] == [job]


def test_only_our_own_failures_are_errors_of_the_span(taken: Taken) -> None:
    tracing = Tracing(taken, 1)
    ended(tracing.begin(None, ROUTE), "error", 422, "invalid_request")
    ended(tracing.begin(None, ROUTE), "error", 503, "queue_full")
    assert [(each.error, each.attributes["askonce.error"]) for each in taken.spans] == [
        (None, "invalid_request"),
        ("queue_full", "queue_full"),
    ]


def test_a_call_that_joins_a_job_of_another_trace_is_linked_to_it(taken: Taken) -> None:
    trace = Tracing(taken, 1).begin(None, ROUTE)
    assert trace is not None
    trace.joined(PARENT)
    ended(trace, "joined", 202)
    assert [each.linked for each in taken.spans] == [PARENT]


def test_a_call_that_made_its_job_is_not_linked_to_itself(taken: Taken) -> None:
    trace = Tracing(taken, 1).begin(None, ROUTE)
    assert trace is not None
    trace.joined(trace.for_job())
    ended(trace, "miss", 202)
    assert [each.linked for each in taken.spans] == [None]


def test_a_call_has_one_span_however_often_it_is_recorded(taken: Taken) -> None:
    trace = Tracing(taken, 1).begin(None, ROUTE)
    ended(trace, "miss", 202)
    ended(trace, "error", 500, "internal_error")
    assert len(taken.spans) == 1
