from dataclasses import replace

import pytest
from examples import QUEUED

from shared.errors import DatabaseUnavailable
from shared.traces.context import TraceContext
from shared.traces.spans import NoTracer
from tests.taken_spans import Taken
from workers.jobs.attempt import COMPLETED, AttemptEnd, Ended
from workers.tracing import attempt_span, traced_attempt

CALL = TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", sampled=True)
JOB = replace(QUEUED, trace=CALL, claims=1, attempts=1)


def test_the_span_of_an_attempt_is_known_to_all_who_have_the_job() -> None:
    assert attempt_span(JOB, Taken()) == attempt_span(replace(JOB, attempts=7), Taken())


def test_every_claim_has_a_span_of_its_own() -> None:
    spans = {attempt_span(replace(JOB, claims=number), Taken()) for number in range(1, 9)}
    assert len(spans) == 8


@pytest.mark.parametrize(
    ("trace", "tracer"),
    [(None, Taken()), (CALL._replace(sampled=False), Taken()), (CALL, NoTracer())],
    ids=["no trace", "not recorded", "off"],
)
def test_without_a_recorded_trace_there_is_none(trace: TraceContext | None, tracer: NoTracer) -> None:
    assert attempt_span(replace(JOB, trace=trace), tracer) is None
    assert traced_attempt(replace(JOB, trace=trace), tracer, lambda: COMPLETED) is COMPLETED


def test_an_attempt_that_ends_badly_says_why() -> None:
    taken = Taken()
    traced_attempt(JOB, taken, lambda: AttemptEnd(Ended.LATER, "rate_limited"))
    (span,) = taken.spans
    assert (span.error, span.attributes["askonce.attempt.end"], span.parent) == ("rate_limited", "later", CALL)


def test_an_attempt_that_can_not_be_written_is_a_span_too() -> None:
    def fail() -> AttemptEnd:
        raise DatabaseUnavailable

    taken = Taken()
    with pytest.raises(DatabaseUnavailable):
        traced_attempt(JOB, taken, fail)
    assert [span.error for span in taken.spans] == [DatabaseUnavailable.code]
