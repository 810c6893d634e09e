"""What is sent to a receiver of spans, and what becomes of it where the receiver is slow, away, or refuses."""

import logging
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

import shared.traces.otlp
from shared.config import load_settings
from shared.errors import ConfigurationError
from shared.traces import opening
from shared.traces.context import TraceContext, new_trace
from shared.traces.opening import check_traces, open_tracer
from shared.traces.otlp import OtlpTracer
from shared.traces.spans import NoTracer, Span
from tests.integration.eventually import eventually
from tests.trace_receiver import Receiver, trace_receiver

CALL, OTHER = new_trace(), new_trace()
SPAN = Span(
    name="get redis", kind="client", context=CALL.child(), parent=CALL, begun=1_000, ended=3_000, attributes={"a": 1}
)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with trace_receiver() as receiver:
        yield receiver


@pytest.fixture
def deaf(receiver: Receiver) -> Iterator[str]:
    """The address of a receiver that answers nothing until the end of the test; then threads that wait for it end."""
    receiver.answers.clear()
    yield receiver.url
    receiver.answers.set()
    for ending in ends_of_traces():
        ending.join()


def ends_of_traces() -> list[threading.Thread]:
    """Return the threads that still wait for a receiver to take the last spans."""
    return [thread for thread in threading.enumerate() if thread.name == "end of traces"]


def started(url: str) -> OtlpTracer:
    tracer = OtlpTracer(url, {})
    tracer.start("askonce-test")
    return tracer


def the(context: TraceContext) -> Span:
    return replace(SPAN, context=context, parent=None)


def test_a_span_arrives_as_it_was_made(receiver: Receiver) -> None:
    tracer = started(receiver.url)
    tracer.add(replace(SPAN, error="down", linked=OTHER))
    tracer.close()
    (heard,) = receiver.spans
    assert (heard.service, heard.name, heard.kind) == ("askonce-test", "get redis", "client")
    assert (heard.trace_id, heard.span_id, heard.parent_id) == (CALL.trace_id, SPAN.context.span_id, CALL.span_id)
    assert (heard.attributes, heard.failed, heard.linked) == ({"a": 1, "error.type": "down"}, True, [OTHER.trace_id])


def test_a_trace_that_begins_here_has_no_parent(receiver: Receiver) -> None:
    tracer = started(receiver.url)
    tracer.add(the(CALL))
    tracer.close()
    assert [(heard.trace_id, heard.span_id, heard.parent_id) for heard in receiver.spans] == [
        (CALL.trace_id, CALL.span_id, "")
    ]


def test_spans_before_the_start_and_after_the_end_are_lost_without_an_error(receiver: Receiver) -> None:
    tracer = OtlpTracer(receiver.url, {})
    tracer.add(SPAN)
    tracer.start("askonce-test")
    tracer.close()
    tracer.add(SPAN)
    tracer.close()
    assert receiver.spans == []


def test_a_receiver_that_refuses_is_one_line_in_the_log(
    receiver: Receiver, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared.traces.otlp, "INTERVAL_MILLISECONDS", 10)
    caplog.set_level(logging.INFO, "shared")
    receiver.status = 400
    with closing(started(receiver.url)) as tracer:
        for refused in range(3):
            tracer.add(SPAN)
            eventually(lambda refused=refused: receiver.refused > refused)
    ours = [record for record in caplog.records if record.name.startswith("shared")]
    assert [record.message for record in ours] == ["Spans are lost: their receiver does not take them"]


def test_spans_beyond_the_queue_are_lost_and_nobody_waits(
    deaf: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared.traces.otlp, "QUEUE", 4)
    monkeypatch.setattr(shared.traces.otlp, "BATCH", 2)
    caplog.set_level(logging.INFO, "shared")
    tracer = started(deaf)
    for _ in range(20):
        tracer.add(SPAN)
    assert [record.message for record in caplog.records if record.name.startswith("shared")] == [
        "Spans are lost: their receiver does not take them"
    ]
    tracer.close()


def test_the_end_does_not_wait_for_a_receiver_that_does_not_answer(deaf: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared.traces.otlp, "CLOSE_SECONDS", 0.01)
    monkeypatch.setattr(shared.traces.otlp, "EXPORT_SECONDS", 3600.0)
    tracer = started(deaf)
    tracer.add(SPAN)
    tracer.close()
    assert ends_of_traces()


def test_traces_are_off_unless_a_receiver_is_named() -> None:
    assert isinstance(open_tracer(load_settings({})), NoTracer)


def test_a_receiver_without_the_packages_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "PACKAGE", "no_such_package")
    settings = load_settings({"TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"})
    with pytest.raises(ConfigurationError, match="TRACES_ENDPOINT"):
        check_traces(settings)
