"""Server-sent events, in any pieces."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.outbound.event_stream import Event, events_of

VALUE = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=12)
END = st.sampled_from(["\n", "\r", "\r\n"])


def read(*chunks: bytes) -> list[Event]:
    return list(events_of(chunks))


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[Event]]:
    """A stream as a server may write it, and what is in it."""
    written, events = draw(st.sampled_from(["", "\ufeff"])), []
    for _ in range(draw(st.integers(0, 4))):
        name, lines = draw(VALUE), draw(st.lists(VALUE, min_size=1, max_size=3))
        fields = [f"event: {name}", *(f"data: {line}" for line in lines), ": a comment", "id: 7", "retry: 3", "else"]
        end = draw(END)
        written += "".join(f"{field}{end}" for field in fields) + end
        events.append(Event(name, "\n".join(lines)))
    return written.encode(), events


@given(streams(), st.lists(st.integers(0, 300)))
def test_events_are_read_whatever_the_pieces_in_which_they_come(
    stream: tuple[bytes, list[Event]], cuts: list[int]
) -> None:
    written, events = stream
    bounds = [0, *sorted(min(cut, len(written)) for cut in cuts), len(written)]
    assert read(*(written[a:b] for a, b in pairwise(bounds))) == events


@given(streams())
def test_events_are_read_byte_by_byte(stream: tuple[bytes, list[Event]]) -> None:
    written, events = stream
    assert read(*(bytes([each]) for each in written)) == events


def test_an_event_is_there_as_soon_as_its_last_line_is() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"data: a\r\r"
        pytest.fail("it has read on")

    assert next(events_of(chunks())) == Event("", "a")


@pytest.mark.parametrize(
    ("written", "data"),
    [
        (b"data: a\n\n", "a"),
        (b"data:a\n\n", "a"),
        (b"data:  a\n\n", " a"),
        (b"data: a\ndata: b\n\n", "a\nb"),
        (b"data\ndata: b\n\n", "\nb"),
        (b"data: a: b\n\n", "a: b"),
        (b"\xef\xbb\xbfdata: a\n\n", "a"),
        (b"data: \xff\n\n", "\ufffd"),
        (b"data: a\x0b\xe2\x80\xa8b\n\n", "a\x0b\u2028b"),
    ],
)
def test_data_is_what_the_standard_says(written: bytes, data: str) -> None:
    assert read(written) == [Event("", data)]


@pytest.mark.parametrize(
    "written", [b"", b"data: a", b"data: a\n", b"event: a\n\n", b": a\n\n", b" data: a\n\n", b"\n\n"]
)
def test_what_is_no_whole_event_is_none(written: bytes) -> None:
    assert read(written) == []


def test_the_name_of_an_event_is_not_that_of_the_next() -> None:
    assert read(b"event: error\ndata: a\n\ndata: b\n\n") == [Event("error", "a"), Event("", "b")]
