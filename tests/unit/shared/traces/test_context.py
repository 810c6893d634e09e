import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.traces.context import TraceContext, new_trace, parse_traceparent

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HEADER = f"00-{TRACE_ID}-{SPAN_ID}-01"

ids = st.integers(1, 2**64 - 1)


@given(ids, ids, st.booleans())
def test_what_is_written_is_read_again(trace: int, span: int, sampled: bool) -> None:  # noqa: FBT001  hypothesis gives it
    context = TraceContext(f"{trace:032x}", f"{span:016x}", sampled)
    assert parse_traceparent(context.traceparent) == context


@pytest.mark.parametrize(("flags", "sampled"), [("00", False), ("01", True), ("02", False), ("ff", True)])
def test_only_the_last_flag_says_whether_a_trace_is_recorded(flags: str, sampled: bool) -> None:  # noqa: FBT001  a value
    assert parse_traceparent(f"00-{TRACE_ID}-{SPAN_ID}-{flags}") == TraceContext(TRACE_ID, SPAN_ID, sampled)


@pytest.mark.parametrize("more", ["", "-what-comes-later"])
def test_a_later_version_is_read_as_far_as_it_is_known(more: str) -> None:
    assert parse_traceparent(f"cc-{TRACE_ID}-{SPAN_ID}-01{more}") == TraceContext(TRACE_ID, SPAN_ID, sampled=True)


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        "",
        "garbage",
        f"ff-{TRACE_ID}-{SPAN_ID}-01",
        f"00-{'0' * 32}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        f"{HEADER}-more",
        f"{HEADER}.more",
        HEADER.upper(),
        f" {HEADER}",
        f"{HEADER}\n",
        f"{HEADER},{HEADER}",
        HEADER[:-1],
        HEADER.replace("4", "٤"),
    ],
)
def test_what_is_invalid_is_ignored(wrong: str | None) -> None:
    assert parse_traceparent(wrong) is None


@given(st.text(alphabet=string.hexdigits + "-", max_size=60) | st.text(max_size=60))
def test_nothing_that_a_client_sends_is_an_error(text: str) -> None:
    found = parse_traceparent(text)
    assert found is None or found.trace_id in text


def test_a_new_trace_is_valid_and_recorded() -> None:
    trace = new_trace()
    assert (parse_traceparent(trace.traceparent), trace.sampled) == (trace, True)


def test_a_child_is_another_span_of_the_same_trace() -> None:
    trace = new_trace()
    child = trace.child()
    assert (child.trace_id, child.sampled, child.span_id != trace.span_id) == (trace.trace_id, True, True)
