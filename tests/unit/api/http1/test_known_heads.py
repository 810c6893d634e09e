"""Heads that are known are not parsed again; what is read is the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading import CLIENT, head_bytes, read
from test_reader_pieces import Sent, pieces, requests, seen

from api.http1.head import Head, Headers
from api.http1.known_heads import MAX_BYTES, MAX_FIELDS, MAX_HEADS, KnownHeads
from api.http1.reader import RequestReader

WITH_BODY = head_bytes("Content-Length: 4") + b"body"
WITHOUT_BODY = head_bytes(first="GET /a HTTP/1.1")


def knowing(*sent: bytes) -> KnownHeads:
    """Return heads of which each of these requests has been read."""
    heads = KnownHeads()
    for each in sent:
        read(each, heads=heads)
    return heads


def is_known(heads: KnownHeads, sent: bytes) -> bool:
    return heads.find(sent[: sent.find(b"\r\n\r\n") + 4]) is not None


@pytest.mark.parametrize("sent", [WITH_BODY, WITHOUT_BODY])
def test_a_head_is_known_once_it_was_read(sent: bytes) -> None:
    assert is_known(knowing(sent), sent)


@given(st.lists(requests(), min_size=1, max_size=4), st.lists(st.integers(0, 5000), max_size=6))
def test_requests_are_the_same_whether_their_heads_are_known_or_not(sent: list[Sent], cuts: list[int]) -> None:
    whole = [each.data for each in sent]
    heads = knowing(*whole)
    for arrived in (whole, pieces(b"".join(whole), cuts)):
        found = read(*arrived, heads=heads)
        parsed = read(*arrived, heads=Forgetful())
        assert (found.refused_with, seen(found)) == ([], seen(parsed))
        assert [each.head.headers.items() for each in found.requests] == [
            each.head.headers.items() for each in parsed.requests
        ]


class Forgetful(KnownHeads):
    """Heads of which none is ever known."""

    def find(self, sent: bytes) -> None:
        del sent


LINES = st.sampled_from(
    [
        *("Connection: close", "Connection: keep-alive", "Connection: Upgrade\r\nUpgrade: h2c", "Upgrade: h2c"),
        *("Expect: 100-continue", "Content-Length: 4", "Content-Length: 04", "Content-Length: 0", "X: a", "X : a"),
        *("Transfer-Encoding: chunked", "Transfer-Encoding: identity", " folded", "X: a\nY: b"),
    ]
)


@st.composite
def odd_requests(draw: st.DrawFn) -> bytes:
    """Draw what is a request, or nearly one, and perhaps the beginning or the end of another."""
    first = draw(
        st.sampled_from(["GET /a HTTP/1.1", "POST /a HTTP/1.1", "POST /a HTTP/1.0", "POST /a HTTP/1.2", "GET"])
    )
    head = head_bytes(*draw(st.lists(LINES, max_size=3)), first=first)
    before, after = (
        draw(st.sampled_from([b"", b"", b"\r\n", b"\n", b"G"])),
        draw(st.sampled_from([b"", b"", b"\r\n", b"G"])),
    )
    return before + head + draw(st.sampled_from([b"", b"body", b"4\r\nbody\r\n0\r\n\r\n", head])) + after


@given(st.lists(odd_requests(), min_size=1, max_size=3), st.lists(st.integers(0, 2), min_size=1, max_size=5))
def test_what_is_odd_is_the_same_whether_heads_are_known_or_not(sent: list[bytes], order: list[int]) -> None:
    arrived = [sent[place % len(sent)] for place in order]
    found, parsed = read(*arrived, heads=knowing(*sent)), read(*arrived, heads=Forgetful())
    assert (found.refused_with, seen(found)) == (parsed.refused_with, seen(parsed))
    assert [(each.keeps_alive, each.head.http_version) for each in found.requests] == [
        (each.keeps_alive, each.head.http_version) for each in parsed.requests
    ]


def test_a_known_head_may_have_another_body() -> None:
    found = read(WITH_BODY, WITH_BODY[:-4] + b"else", heads=knowing(WITH_BODY))
    assert [each.body for each in found.requests] == [b"body", b"else"]


@pytest.mark.parametrize("cut", range(1, len(WITH_BODY)))
def test_a_known_request_may_come_in_two_pieces(cut: int) -> None:
    found = read(WITH_BODY[:cut], WITH_BODY[cut:], WITH_BODY, heads=knowing(WITH_BODY))
    assert [(each.body, each.is_complete) for each in found.requests] == [(b"body", True)] * 2


def test_a_known_request_within_a_body_is_part_of_that_body() -> None:
    outer = head_bytes(f"Content-Length: {len(WITH_BODY)}", first="POST /outer HTTP/1.1")
    found = read(outer, WITH_BODY, heads=knowing(WITH_BODY))
    assert [(each.head.path, each.body) for each in found.requests] == [("/outer", WITH_BODY)]


def test_a_known_request_after_the_first_letter_of_another_is_part_of_that_one() -> None:
    found = read(b"G", WITH_BODY, heads=knowing(WITH_BODY))
    assert (found.requests, found.refused_with) == ([], [400])


def test_a_known_request_after_one_that_closes_the_connection_is_not_served() -> None:
    found = read(head_bytes("Content-Length: 0", "Connection: close"), WITH_BODY, heads=knowing(WITH_BODY))
    assert len(found.requests) == 1


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(head_bytes("Content-Length: 0", "Connection: close"), id="no request may follow"),
        pytest.param(head_bytes("Transfer-Encoding: chunked") + b"1\r\na\r\n0\r\n\r\n", id="its body has chunks"),
        pytest.param(head_bytes(f"X: {'a' * MAX_BYTES}", first="GET /a HTTP/1.1"), id="it is long"),
        pytest.param(head_bytes(*(f"X-{number}: a" for number in range(MAX_FIELDS))), id="it has many fields"),
        pytest.param(WITHOUT_BODY + WITHOUT_BODY, id="two came at once"),
        pytest.param(WITH_BODY + WITHOUT_BODY[:9], id="another has begun"),
    ],
)
def test_a_head_is_not_remembered_if(sent: bytes) -> None:
    heads = knowing(sent)
    assert not is_known(heads, sent)


def test_a_known_head_has_the_addresses_of_its_own_connection() -> None:
    heads = knowing(WITH_BODY)
    found = read(heads=heads)
    RequestReader(found, heads, "10.0.0.2:6000", "[::1]:8000").feed(memoryview(WITH_BODY))
    assert [(each.head.client, each.head.server) for each in found.requests] == [("10.0.0.2:6000", "[::1]:8000")]
    assert [each.head.client for each in read(WITH_BODY, heads=heads).requests] == [CLIENT]


def test_heads_that_were_not_seen_for_long_are_forgotten_and_others_kept() -> None:
    heads = knowing(WITH_BODY, WITHOUT_BODY)
    for number in range(2 * MAX_HEADS):
        sent = head_bytes(f"X: {number}", first="GET /a HTTP/1.1")
        heads.learn(sent, Head("GET", b"/a", "1.1", Headers([]), CLIENT, CLIENT))
        read(WITH_BODY, heads=heads)
    assert (is_known(heads, WITH_BODY), is_known(heads, WITHOUT_BODY)) == (True, False)
