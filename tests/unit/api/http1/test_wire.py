from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http1 import wire

NAME = st.text("abcdefXYZ-", min_size=1, max_size=10).map(lambda name: f"X-{name}")
VALUE = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=20)
BREAK = st.sampled_from(["\r", "\n", "\r\n", "\r\nX-Injected: 1", "\n\n"])
FIELDS = st.lists(st.tuples(NAME, VALUE), max_size=5)
OWN = "content-length: 0\r\n"


@given(FIELDS)
def test_a_head_has_a_line_for_each_header_and_an_empty_one_at_the_end(fields: list[tuple[str, str]]) -> None:
    first, *lines = wire.head(200, fields, OWN).decode("latin-1").split("\r\n")
    assert first == "HTTP/1.1 200 OK"
    assert lines == [*(f"{name.lower()}: {value}" for name, value in fields), OWN.strip(), "", ""]


@st.composite
def broken_fields(draw: st.DrawFn) -> tuple[str, str]:
    name, value, at = draw(NAME), draw(VALUE), draw(st.integers(0, 20))
    line_break = draw(BREAK)
    if draw(st.booleans()):
        return name[:at] + line_break + name[at:], value
    return name, value[:at] + line_break + value[at:]


@given(FIELDS, broken_fields())
def test_no_line_break_gets_into_a_head(others: list[tuple[str, str]], broken: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="line break"):
        wire.head(200, [*others, broken], OWN)


def test_a_text_that_no_header_can_have_is_an_error() -> None:
    with pytest.raises(ValueError, match="latin-1"):
        wire.head(200, [("X-A", "\N{SNOWMAN}")], OWN)


@pytest.mark.parametrize("name", ["Connection", "Content-Length", "TRANSFER-ENCODING", "date"])
def test_what_only_the_server_says_is_said_by_nobody_else(name: str) -> None:
    assert wire.head(200, [(name, "1")], "") == b"HTTP/1.1 200 OK\r\n\r\n"


def test_a_status_without_a_phrase_keeps_the_blank_before_it() -> None:
    assert wire.head(599, (), "") == b"HTTP/1.1 599 \r\n\r\n"


def test_only_what_says_nothing_new_has_no_body() -> None:
    assert [status for status in (200, 204, 304, 400, 404) if wire.has_no_body(status)] == [204, 304]


@pytest.mark.parametrize(
    ("closes", "is_old", "said"),
    [
        (True, False, "connection: close\r\n"),
        (True, True, "connection: close\r\n"),
        (False, True, "connection: keep-alive\r\n"),
        (False, False, ""),
    ],
)
def test_a_response_says_what_is_not_usual_for_its_version(closes: bool, is_old: bool, said: str) -> None:  # noqa: FBT001
    assert wire.connection(closes=closes, is_old=is_old) == said


def test_a_date_is_written_anew_with_each_second(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([1_000_000_000.2, 1_000_000_000.9, 1_000_000_001.1])
    monkeypatch.setattr(wire, "time", lambda: next(moments))
    dates = wire.Dates()
    said = [dates.line().removeprefix("date: ").removesuffix("\r\n") for _ in range(3)]
    assert [parsedate_to_datetime(each).timestamp() for each in said] == [1e9, 1e9, 1e9 + 1]
