"""However a client's bytes are cut on their way, they are the same requests."""

import itertools
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from reading import Read, read

OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
TOKEN = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=12)
VALUE = st.text('abcxyz019 ,;="/\xe4', max_size=20).map(str.strip)


@dataclass(frozen=True)
class Sent:
    """A request as it is sent, and what a reader should make of it."""

    data: bytes
    method: str
    path: str
    fields: dict[str, str]
    body: bytes


def chunked(body: bytes, size: int, extension: bytes, trailer: bytes) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    chunks = b"".join(b"%x%b\r\n%b\r\n" % (len(part), extension, part) for part in parts)
    return chunks + b"0\r\n" + trailer + b"\r\n"


@st.composite
def requests(draw: st.DrawFn) -> Sent:
    method = draw(st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"]))
    path = "/" + draw(st.text("abc/._-~", max_size=20)).lstrip("/")
    fields = draw(st.dictionaries(TOKEN.map(lambda name: f"x-{name}"), VALUE, max_size=4))
    framing, body = draw(st.sampled_from(["none", "length", "chunks"])), b""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n".encode()
    head += "".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode("latin-1")
    head += OFFER if draw(st.booleans()) else b""
    if framing == "none":
        return Sent(head + b"\r\n", method, path, fields, body)
    body = draw(st.binary(max_size=60))
    if framing == "length":
        return Sent(head + b"Content-Length: %d\r\n\r\n" % len(body) + body, method, path, fields, body)
    extension = draw(st.sampled_from([b"", b";a=b", b';a="b c"']))
    trailer = draw(st.sampled_from([b"", b"X-Sum: 1\r\n", b"Host: evil.example\r\nX: y\r\n"]))
    rest = chunked(body, draw(st.integers(1, 30)), extension, trailer)
    return Sent(head + b"Transfer-Encoding: chunked\r\n\r\n" + rest, method, path, fields, body)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted({cut % len(data) for cut in cuts}), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(places) if end > start]


def seen(found: Read) -> list[tuple[str, str, dict[str, str], bytes, bool]]:
    return [
        (
            each.head.method,
            each.head.path,
            {name: value for name, value in each.head.headers.items() if name.startswith("x-")},
            each.body,
            each.is_complete,
        )
        for each in found.requests
    ]


@given(st.lists(requests(), min_size=1, max_size=4), st.lists(st.integers(0, 5000), max_size=30))
def test_requests_are_the_same_however_their_bytes_are_cut(sent: list[Sent], cuts: list[int]) -> None:
    found = read(*pieces(b"".join(each.data for each in sent), cuts))
    assert found.refused_with == []
    assert seen(found) == [(each.method, each.path, each.fields, each.body, True) for each in sent]


@given(requests())
def test_a_request_may_come_byte_by_byte(sent: Sent) -> None:
    found = read(*(sent.data[at : at + 1] for at in range(len(sent.data))))
    assert (found.refused_with, seen(found)) == ([], [(sent.method, sent.path, sent.fields, sent.body, True)])
