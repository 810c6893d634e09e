"""Where a request ends: whoever sends two lengths, or a request inside another, gets no answer that is not theirs.

After each hostile request comes a plain one, the canary. It is answered after the hostile one and as itself, or the
connection is closed.
"""

import pytest

from tests.api_process import ApiProcess
from tests.raw_http import CANARY, LIVE, SMUGGLED, exchange

PREDICT = "/api/v1/predict"
CHUNKED = b"2\r\n{}\r\n0\r\n\r\n"
ENDED = b"0\r\n\r\n"


def post(*lines: str, path: str = PREDICT, method: str = "POST", version: str = "1.1") -> bytes:
    given = ["Host: localhost", "Content-Type: application/json", "X-Request-ID: hostile", *lines]
    return "\r\n".join([f"{method} {path} HTTP/{version}", *given, "", ""]).encode("latin-1")


def statuses(api: ApiProcess, *sent: bytes) -> list[int]:
    """Send a hostile request and the canary; return the statuses of the responses."""
    found = exchange(api.url, *sent, CANARY)
    assert [each.known_as for each in found] in (["hostile", "canary"], ["hostile"], [""]), found
    return [each.status for each in found]


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        (["Content-Length: {}"], ENDED + SMUGGLED),
        (["Content-Length: 4"], b"%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)),
        (["Content-Length: 0"], CHUNKED),
        (["Content-Length: {}", "Content-Length: {}"], ENDED + SMUGGLED),
    ],
    ids=["CL.TE", "TE.CL", "no length", "two lengths"],
)
@pytest.mark.parametrize("te", ["chunked", "Chunked", "\tchunked", "chunked ", " chunked"])
def test_a_length_and_chunks_are_refused_and_nothing_follows(
    shared_process: ApiProcess, lines: list[str], body: bytes, te: str
) -> None:
    given = [line.format(len(body)) for line in lines]
    (status,) = statuses(shared_process, post(*given, f"Transfer-Encoding:{te}"), body)
    assert status == 400


@pytest.mark.parametrize(
    "line",
    [
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: \x0bchunked",
        "Transfer-Encoding: chunked\x00",
        'Transfer-Encoding: "chunked"',
        "Transfer-Encoding: chunked;q=1",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding\t: chunked",
        "Transfer-Encoding\r\n : chunked",
        "Transfer-Encoding:\r\n chunked",
        "X: y\rTransfer-Encoding: chunked",
        " Transfer-Encoding: chunked",
    ],
)
def test_a_coding_that_hides_is_refused(shared_process: ApiProcess, line: str) -> None:
    body = ENDED + SMUGGLED
    assert statuses(shared_process, post(f"Content-Length: {len(body)}", line), body) == [400]


@pytest.mark.parametrize(
    "line",
    [
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: identity, chunked",
        "Transfer-Encoding: \r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
    ],
)
def test_a_coding_in_addition_to_chunks_is_refused_and_nothing_follows(shared_process: ApiProcess, line: str) -> None:
    body = ENDED + SMUGGLED
    assert statuses(shared_process, post(f"Content-Length: {len(body)}", line), body) == [400]


@pytest.mark.parametrize("name", ["X-Transfer-Encoding", "Transfer_Encoding", "TransferEncoding", "Content_Length"])
def test_what_only_looks_like_a_coding_or_a_length_is_neither(shared_process: ApiProcess, name: str) -> None:
    body = ENDED + SMUGGLED
    assert statuses(shared_process, post(f"Content-Length: {len(body)}", f"{name}: chunked"), body) == [400, 200]


@pytest.mark.parametrize(
    "length",
    ["+2", "-2", "0x2", "2 2", "2;", "2.0", "2e0", "", "a", "\xb2", "\x0b2", "2\x00", str(2**64 + 2), "2, 3", "2,"],
)
def test_a_length_that_is_no_number_is_refused(shared_process: ApiProcess, length: str) -> None:
    assert statuses(shared_process, post(f"Content-Length: {length}"), b"{}") == [400]


@pytest.mark.parametrize("lines", [["2", "2"], ["2", "3"], ["3", "2"], ["2", "2", "3"], ["2", ""]])
def test_two_lengths_are_refused(shared_process: ApiProcess, lines: list[str]) -> None:
    assert statuses(shared_process, post(*(f"Content-Length: {each}" for each in lines)), b"{}") == [400]


@pytest.mark.parametrize("length", ["2", "02", " 2 "])
def test_a_length_may_be_padded(shared_process: ApiProcess, length: str) -> None:
    assert statuses(shared_process, post(f"Content-Length: {length}"), b"{}") == [422, 200]


@pytest.mark.parametrize(
    "body",
    [
        b"0x2\r\n{}\r\n0\r\n\r\n",
        b"+2\r\n{}\r\n0\r\n\r\n",
        b"-2\r\n{}\r\n0\r\n\r\n",
        b"\r\n{}\r\n0\r\n\r\n",
        b"2 2\r\n{}\r\n0\r\n\r\n",
        b"%x\r\n{}\r\n0\r\n\r\n" % (2**64 + 2),
        b"2\r\n{}xx0\r\n\r\n",
        b"2;a\nb\r\n{}\r\n0\r\n\r\n",
        b"2\n{}\n0\n\n",
        b"2\r\n{}\r\n0\r\nContent-Length: 5\r\n\r\n",
        b"2\r\n{}\r\n0\r\nTransfer-Encoding: gzip\r\n\r\n",
    ],
)
def test_a_chunk_that_is_none_ends_the_connection(shared_process: ApiProcess, body: bytes) -> None:
    (status,) = statuses(shared_process, post("Transfer-Encoding: chunked"), body, SMUGGLED)
    assert status in {400, 422}


@pytest.mark.parametrize(
    "body",
    [
        CHUNKED,
        b"002\r\n{}\r\n0\r\n\r\n",
        b'2;name="value"\r\n{}\r\n0\r\n\r\n',
        b"1\r\n{\r\n1\r\n}\r\n000\r\n\r\n",
        b"2\r\n{}\r\n0\r\nX-Request-ID: smuggled\r\nContent-Type: text/plain\r\n\r\n",
    ],
    ids=["plain", "zeros", "an extension", "two chunks", "trailers"],
)
def test_a_body_may_come_in_chunks_and_a_trailer_says_nothing(shared_process: ApiProcess, body: bytes) -> None:
    assert statuses(shared_process, post("Transfer-Encoding: chunked"), body) == [422, 200]


def test_an_old_version_has_no_chunks(shared_process: ApiProcess) -> None:
    sent = post("Transfer-Encoding: chunked", "Connection: keep-alive", version="1.0")
    assert len(statuses(shared_process, sent, ENDED, SMUGGLED)) == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS", "PUT", "PROPFIND"])
@pytest.mark.parametrize("path", [LIVE, "/api/v1/jobs", "/api/v1/jobs/01890a5d-ac96-774b-bcce-b302099a8057", "/none"])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_nobody_wants_is_not_taken_for_a_request(
    shared_process: ApiProcess,
    method: str,
    path: str,
    chunked: bool,  # noqa: FBT001  a case
) -> None:
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED) if chunked else SMUGGLED
    line = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
    found = exchange(shared_process.url, post(line, path=path, method=method), body, CANARY, to_head=method == "HEAD")
    assert found[0].known_as == "hostile"
    assert [each.known_as for each in found[1:]] in (["canary"], [])
