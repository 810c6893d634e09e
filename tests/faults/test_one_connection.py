"""One connection to a real API process, byte by byte: go-aheads, offers, old versions, refusals."""

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from api.http1.connection import MAX_PIPELINED
from tests.api_process import ApiProcess
from tests.freezing import children
from tests.integration.growth import kilobytes
from tests.raw_http import CANARY, LIVE, exchange

PREDICT = "/api/v1/predict"
BODY = json.dumps({"task_type": "sentiment", "input": "one connection"}).encode()
OFFER = (
    "Connection: Upgrade, HTTP2-Settings",
    "Upgrade: h2c",
    "HTTP2-Settings: AAMAAABkAAQAAP__",
)
OLD = f"GET {LIVE} HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n".encode()
TOO_LARGE, UNWANTED = 30_000_000, 5_000_000
DOCUMENT = "/docs/errors"


def head(*lines: str, path: str = PREDICT, method: str = "POST") -> bytes:
    given = ["Host: localhost", "Content-Type: application/json", *lines]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *given, "", ""]).encode()


@pytest.fixture
def connection(shared_process: ApiProcess) -> Iterator[socket.socket]:
    address = urlsplit(shared_process.url)
    with closing(socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=30)) as connection:
        yield connection


def received(connection: socket.socket, until: bytes) -> bytes:
    """Return what comes, up to these bytes."""
    found = b""
    while until not in found:
        part = connection.recv(1)
        assert part, found
        found += part
    return found


@pytest.mark.parametrize("is_chunked", [False, True], ids=["length", "chunks"])
def test_a_body_comes_with_an_offer_of_http_2_and_the_connection_goes_on(
    shared_process: ApiProcess,
    is_chunked: bool,  # noqa: FBT001
) -> None:
    framing = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {len(BODY)}"
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY) if is_chunked else BODY
    found = exchange(shared_process.url, head(*OFFER, framing), body, head(*OFFER, framing), body, CANARY)
    assert [each.status for each in found] == [202, 202, 200]


def test_a_client_that_waits_for_a_go_ahead_gets_it_before_its_body(connection: socket.socket) -> None:
    connection.sendall(head("Expect: 100-continue", f"Content-Length: {len(BODY)}"))
    assert received(connection, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.sendall(BODY)
    assert received(connection, b"\r\n").startswith(b"HTTP/1.1 202 ")


def test_a_body_that_is_announced_as_too_large_gets_no_go_ahead(connection: socket.socket) -> None:
    connection.sendall(head("Expect: 100-continue", "Content-Length: 999999999"))
    assert received(connection, b"\r\n").startswith(b"HTTP/1.1 413 ")


def test_a_response_to_head_has_the_length_of_a_body_and_none(shared_process: ApiProcess) -> None:
    (got, _), (asked, _) = (
        exchange(shared_process.url, head(path=DOCUMENT, method=method), CANARY, to_head=method == "HEAD")
        for method in ("GET", "HEAD")
    )
    assert (asked.status, asked.body, asked.headers["content-length"]) == (200, b"", [str(len(got.body))])


@pytest.mark.parametrize(
    ("method", "path", "size", "status"),
    [("POST", PREDICT, TOO_LARGE, b"413"), ("GET", LIVE, UNWANTED, b"200")],
    ids=["a refused body", "a body that nobody takes"],
)
def test_a_response_is_read_after_all_of_a_body_was_sent(
    connection: socket.socket, method: str, path: str, size: int, status: bytes
) -> None:
    connection.sendall(head(f"Content-Length: {size}", "Connection: close", path=path, method=method))
    connection.sendall(bytes(size))
    response = connection.makefile("rb").read()
    top, _, body = response.partition(b"\r\n\r\n")
    assert (top.split()[1], f"content-length: {len(body)}".encode() in top.lower()) == (status, True)


@pytest.mark.parametrize("slashes", ["/", "//"])
def test_a_large_body_is_served_however_many_slashes_its_path_begins_with(
    shared_process: ApiProcess, slashes: str
) -> None:
    body = json.dumps({"task_type": "chat", "input": f"{slashes}{'a ' * 40_000}"}).encode()
    path = f"{slashes}{PREDICT.lstrip('/')}"
    found = exchange(shared_process.url, head(f"Content-Length: {len(body)}", path=path), body, CANARY)
    assert [each.status for each in found] == [202, 200]


@pytest.mark.parametrize(
    "end", [b"\r\nzz\r\n", b"\r\n", b""], ids=["a malformed chunk", "no last chunk", "within a chunk"]
)
def test_a_body_that_breaks_off_is_none_whatever_it_says_so_far(
    shared_process: ApiProcess, connection: socket.socket, end: bytes
) -> None:
    question = json.dumps({"task_type": "sentiment", "input": f"broken off {end!r}"}).encode()
    size = len(question) + (0 if end else 10)
    connection.sendall(head("Transfer-Encoding: chunked") + b"%x\r\n%b%b" % (size, question, end))
    connection.shutdown(socket.SHUT_WR)
    response = connection.makefile("rb").read()
    assert (response.split()[1], b'"malformed_request"' in response) == (b"400", True)
    only = head("Cache-Control: only-if-cached", "Prefer: respond-async", f"Content-Length: {len(question)}") + question
    assert exchange(shared_process.url, only, CANARY)[0].status == 504


@pytest.mark.parametrize(
    ("request_", "status"),
    [(head(f"Content-Length: {len(BODY)}") + BODY, b"202"), (head(path="/api/v1/tasks", method="GET"), b"200")],
    ids=["a job", "a list"],
)
def test_a_client_that_ends_after_its_request_gets_its_response(
    connection: socket.socket, request_: bytes, status: bytes
) -> None:
    connection.sendall(request_)
    connection.shutdown(socket.SHUT_WR)
    assert connection.makefile("rb").read().split()[1] == status


def test_a_client_that_ends_within_its_body_is_told(connection: socket.socket) -> None:
    connection.sendall(head("Content-Length: 1000") + b"{")
    connection.shutdown(socket.SHUT_WR)
    assert connection.makefile("rb").read().startswith(b"HTTP/1.1 400 ")


def test_who_speaks_the_old_version_and_keeps_the_connection_is_told_that_it_is_kept(
    connection: socket.socket,
) -> None:
    for _ in range(3):
        connection.sendall(OLD)
        top = received(connection, b"\r\n\r\n")
        assert (top.split()[1], b"\r\nconnection: keep-alive\r\n" in top) == (b"200", True)
        received(connection, b"}")


def test_more_pipelined_requests_than_there_may_be_are_refused_and_those_before_are_answered(
    shared_process: ApiProcess,
) -> None:
    found = exchange(shared_process.url, head(path=LIVE, method="GET") * (2 * MAX_PIPELINED))
    statuses = [each.status for each in found]
    assert statuses in ([200] * (2 * MAX_PIPELINED), [*[200] * (len(statuses) - 1), 400])
    assert len(statuses) > MAX_PIPELINED


def test_a_client_that_asks_again_and_again_and_reads_nothing_takes_no_memory(
    shared_process: ApiProcess, connection: socket.socket
) -> None:
    (server,) = children(shared_process.process.pid)
    ask = head(path=DOCUMENT, method="GET")
    (answer, _) = exchange(shared_process.url, ask, CANARY)
    before = kilobytes(server, "VmRSS")
    calls = 60_000_000 // len(answer.body)
    for _ in range(calls):
        connection.sendall(ask)
        exchange(shared_process.url, CANARY)
    assert 1024 * (kilobytes(server, "VmRSS") - before) < 20_000_000
