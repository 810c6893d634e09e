"""What connections alone can use up in a real API process: their number, and responses that nobody reads."""

import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from urllib.parse import urlsplit

import pytest
import requests

from tests.api_process import ApiProcess, api_process
from tests.servers import session_servers
from tests.stack import eventually

CONNECTIONS = 16
SOON = 15.0
"""Sooner than by default."""

LARGE_TEXT = "\N{GRINNING FACE}" * 1_500_000
"""As a response it is larger than LARGE_RESPONSE_BYTES, and than what the kernel keeps for a client."""

LIVE = b"GET /api/v1/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
METRICS = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
SETTINGS = {"MAX_CONNECTIONS": str(CONNECTIONS), "UNREAD_TIMEOUT_SECONDS": "2", "MAX_INPUT_CHARS": "2000000"}


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProcess]:
    folder = tmp_path_factory.mktemp("narrow")
    with session_servers().lent() as environment, api_process({**environment, **SETTINGS}, folder) as api:
        yield api


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


def dial(api: ApiProcess, opened: ExitStack) -> socket.socket:
    """Open a connection to which little can be sent before it is read."""
    address = urlsplit(api.url)
    connection = opened.enter_context(closing(socket.socket()))
    connection.settimeout(30)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((str(address.hostname), int(address.port or 0)))
    return connection


def answered(connection: socket.socket, request: bytes) -> bytes:
    """Return the response to a request."""
    connection.sendall(request)
    received = b""
    while not is_whole(received):
        received += connection.recv(1_000_000)
    return received


def is_whole(received: bytes) -> bool:
    head, end, body = received.partition(b"\r\n\r\n")
    return bool(end) and len(body) >= int(re.findall(rb"ength: (\d+)", head, re.IGNORECASE)[0])


def read_to_the_end(connection: socket.socket) -> None:
    while connection.recv(1_000_000):
        pass


def metric(metrics: str, name: str) -> float:
    return float(re.findall(rf"^{name} (.*)$", metrics, re.MULTILINE)[0])


def test_one_connection_more_than_there_may_be_waits_until_another_is_closed(
    narrow: ApiProcess, opened: ExitStack
) -> None:
    first = dial(narrow, opened)
    before = metric(answered(first, METRICS).decode(), "askonce_open_files")
    others = [dial(narrow, opened) for _ in range(CONNECTIONS - 1)]
    for connection in others:
        assert b"200 OK" in answered(connection, LIVE)
    assert metric(answered(first, METRICS).decode(), "askonce_open_files") >= before + CONNECTIONS - 1
    one_more = dial(narrow, opened)
    one_more.sendall(LIVE)
    one_more.settimeout(0.5)
    with pytest.raises(TimeoutError):
        one_more.recv(1)
    others[0].close()
    one_more.settimeout(30)
    assert one_more.recv(12) == b"HTTP/1.1 200"


@pytest.mark.parametrize("more", [b"", b"Connection: close\r\n"], ids=["kept", "closed"])
def test_a_client_that_reads_its_response_slowly_gets_all_of_it(
    narrow: ApiProcess, opened: ExitStack, more: bytes
) -> None:
    slow = dial(narrow, opened)
    slow.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n%b\r\n" % more)
    received = b""
    # Twice as long as a client may take nothing.
    for _ in range(20):
        time.sleep(0.2)
        received += slow.recv(4096)
    while not is_whole(received):
        part = slow.recv(1_000_000)
        assert part, len(received)
        received += part


def test_a_client_that_does_not_read_its_response_is_cut_off(narrow: ApiProcess, opened: ExitStack) -> None:
    def unread() -> float:
        return metric(requests.get(f"{narrow.url}/metrics", timeout=10).text, "askonce_unread_bytes")

    body = {"task_type": "chat", "input": LARGE_TEXT}
    # A busy machine may need several attempts for so large a row.
    eventually(lambda: requests.post(f"{narrow.url}/api/v1/predict", json=body, timeout=30).status_code == 202)
    logged = eventually(lambda: narrow.get("/api/v1/requests")["requests"])[0]
    path = logged["urls"]["self"]
    idle = dial(narrow, opened)
    idle.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    eventually(lambda: unread() > len(LARGE_TEXT.encode()))
    eventually(lambda: unread() == 0, SOON)
    # It is told that the rest is missing, and the system has forgotten that.
    with pytest.raises(ConnectionResetError):
        read_to_the_end(idle)
