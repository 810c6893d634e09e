"""One hostile or clumsy client against a real API process: others go on being served."""

import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from shared.db.engine import Database
from tests.api_process import ApiProcess
from tests.freezing import children, freeze
from tests.integration.asking import rows
from tests.stack import eventually

PREDICT = "/api/v1/predict"
LIVE = "/api/v1/health/live"
H2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
MORE_THAN_THREADS = 200
WAIT_SECONDS = 60

Open = Callable[..., ApiProcess]
Dial = Callable[[ApiProcess], socket.socket]


@pytest.fixture
def dial() -> Iterator[Dial]:
    """Open connections that stay open as long as the test."""
    with ExitStack() as stack:

        def connected(api: ApiProcess) -> socket.socket:
            address = urlsplit(api.url)
            return stack.enter_context(
                closing(socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=30))
            )

        yield connected


def head(*lines: str, path: str = PREDICT, method: str = "POST") -> bytes:
    given = ["Host: localhost", "Content-Type: application/json", *lines]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *given, "", ""]).encode()


def asking(number: int, *lines: str) -> bytes:
    body = json.dumps({"task_type": "sentiment", "input": f"question {number}"}).encode()
    return head(f"Content-Length: {len(body)}", *lines) + body


def status(connection: socket.socket) -> int:
    """Return the status of the next response on a connection; 0 when it is closed without one."""
    line = connection.makefile("rb").readline()
    return int(line.split()[1]) if line else 0


def is_served(api: ApiProcess) -> bool:
    """Whether a lookup and a sign of life are answered."""
    with requests.Session() as session:
        return api.ask(session, 0) == 504 and requests.get(f"{api.url}{LIVE}", timeout=10).ok


def calls_in_lane(api: ApiProcess, lane: str) -> float:
    metrics = requests.get(f"{api.url}/metrics", timeout=10).text
    return float(re.findall(rf'^askonce_lane_calls{{.*lane="{lane}".*}} (.*)$', metrics, re.MULTILINE)[0])


def server_process(api: ApiProcess) -> int:
    (pid,) = children(api.process.pid)
    return pid


def test_bodies_that_trickle_hold_up_nobody(open_process: Open, dial: Dial) -> None:
    api = open_process()
    for _ in range(MORE_THAN_THREADS):
        dial(api).sendall(head("Content-Length: 1000") + b"{")
    assert is_served(api)


def test_a_body_that_does_not_arrive_is_408_and_on_record(open_process: Open, dial: Dial, database: Database) -> None:
    connection = dial(open_process(BODY_TIMEOUT_SECONDS="0.2"))
    connection.sendall(head("Content-Length: 1000") + b"{")
    assert status(connection) == 408
    recorded = eventually(lambda: rows(database, "SELECT outcome, status, request->>'error' AS error FROM requests"))
    assert [tuple(row) for row in recorded] == [("error", 408, "request_timeout")]


def test_idle_connections_hold_up_nobody(open_process: Open, dial: Dial) -> None:
    api = open_process()
    for _ in range(MORE_THAN_THREADS):
        dial(api)
    assert is_served(api)


def test_a_connection_that_speaks_http_2_is_closed(open_process: Open, dial: Dial) -> None:
    api = open_process()
    connection = dial(api)
    connection.sendall(H2_PREFACE)
    assert connection.recv(100) == b""
    assert is_served(api)


def test_those_who_wait_hold_up_nobody_and_are_woken(open_process: Open, dial: Dial) -> None:
    api = open_process(API_THREADS="2")
    waiting = [dial(api) for _ in range(MORE_THAN_THREADS)]
    for connection in waiting:
        connection.sendall(asking(1, f"Prefer: wait={WAIT_SECONDS}"))
    eventually(lambda: f"askonce_waiters {MORE_THAN_THREADS}.0" in requests.get(f"{api.url}/metrics", timeout=10).text)
    assert is_served(api)
    (job,) = api.get("/api/v1/jobs?status=queued")["jobs"]
    assert requests.post(f"{api.url}{job['urls']['cancel']}", timeout=10).ok
    assert {status(connection) for connection in waiting} == {409}


@pytest.mark.parametrize("behind", [b"", head(path=LIVE, method="GET")], ids=["alone", "with a request behind"])
def test_a_waiter_that_goes_away_gives_its_place_back(open_process: Open, dial: Dial, behind: bytes) -> None:
    api = open_process(MAX_WAITERS="1")

    def waiters() -> Any:
        return "askonce_waiters 1.0" in requests.get(f"{api.url}/metrics", timeout=10).text

    connection = dial(api)
    connection.sendall(asking(1, f"Prefer: wait={WAIT_SECONDS}") + behind)
    eventually(waiters)
    connection.close()
    eventually(lambda: not waiters())


def test_calls_whose_clients_go_away_keep_no_job_thread(open_process: Open, dial: Dial, database: Database) -> None:
    api = open_process(DATABASE_POOL_SIZE="1")
    with database.begin() as connection:
        # Every insert waits, until PostgreSQL gives it up after more than a second.
        connection.exec_driver_sql("LOCK TABLE jobs IN EXCLUSIVE MODE")
        crowd = [dial(api) for _ in range(MORE_THAN_THREADS)]
        for number, asker in enumerate(crowd):
            asker.sendall(asking(number))
        eventually(lambda: calls_in_lane(api, "jobs") > MORE_THAN_THREADS / 2)
        for asker in crowd:
            asker.close()
        eventually(lambda: calls_in_lane(api, "jobs") <= 1)


def test_a_server_process_that_hangs_is_replaced(open_process: Open) -> None:
    api = open_process()
    hung = server_process(api)
    freeze(hung)
    eventually(lambda: hung not in children(api.process.pid))
    eventually(lambda: _answers(api))


def test_a_process_that_is_told_to_stop_ends_whatever_clients_do(open_process: Open, dial: Dial) -> None:
    api = open_process()
    for _ in range(20):
        dial(api).sendall(head("Content-Length: 1000") + b"{")
        dial(api).sendall(b"POST /api/v1/pre")
        dial(api)
    waiter = dial(api)
    waiter.sendall(asking(1, f"Prefer: wait={WAIT_SECONDS}"))
    eventually(lambda: "askonce_waiters 1.0" in requests.get(f"{api.url}/metrics", timeout=10).text)
    started = time.monotonic()
    api.stop()
    assert (status(waiter), time.monotonic() - started < WAIT_SECONDS / 2) == (202, True)


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        (b"GET /api/v1/tasks HTTP/1.1\r\n\r\n", 400),
        (b"GET /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /api/v1/tasks HTTP/1.1\r\nHost: \xff\r\n\r\n", 400),
        (b"GET /api/v1/tasks HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
        (b"GET http://evil.example/api/v1/tasks HTTP/1.1\r\nHost: localhost\r\n\r\n", 421),
        (head("Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n", 501),
        (head("Transfer-Encoding: gzip"), 400),
        (head("Content-Length: 999999999999"), 413),
        (head("Content-Encoding: gzip", "Content-Length: 2") + b"{}", 415),
        (head(path="/api/v1/tasks?wait=1&wait=2", method="GET"), 422),
    ],
    ids=[
        *("no Host", "two Hosts", "no text", "foreign", "foreign target", "gzip, chunked", "gzip", "too long"),
        *("compressed", "a query"),
    ],
)
def test_a_head_that_can_not_be_is_refused(shared_process: ApiProcess, dial: Dial, sent: bytes, answered: int) -> None:
    connection = dial(shared_process)
    connection.sendall(sent)
    assert status(connection) == answered


@pytest.mark.parametrize(
    ("media_type", "begun"),
    [
        ("application/json", b'{"task_type": "sentiment", "input": "a"'),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="task_type"\r\n\r\nchat\r\n'),
    ],
)
@pytest.mark.parametrize("end", [b"zz\r\n", b"5\r\nab"], ids=["malformed chunk", "cut chunk"])
def test_a_chunked_body_that_breaks_off_is_malformed(
    shared_process: ApiProcess, dial: Dial, media_type: str, begun: bytes, end: bytes
) -> None:
    connection = dial(shared_process)
    lines = ["Host: localhost", f"Content-Type: {media_type}", "Transfer-Encoding: chunked"]
    start = "\r\n".join([f"POST {PREDICT} HTTP/1.1", *lines, "", ""]).encode()
    connection.sendall(start + f"{len(begun):x}\r\n".encode() + begun + b"\r\n" + end)
    connection.shutdown(socket.SHUT_WR)
    assert status(connection) == 400


def test_a_body_with_a_length_and_chunks_is_refused_and_the_connection_is_closed(
    shared_process: ApiProcess, dial: Dial
) -> None:
    connection = dial(shared_process)
    connection.sendall(head("Content-Length: 7", "Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\n\r\n")
    answer = connection.makefile("rb").read()
    assert (answer.split()[1], b"\r\nconnection: close\r\n" in answer) == (b"400", True)


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        (b"hello\r\n\r\n", 400),
        (head("b ad: x"), 400),
        (head("Content-Length: x"), 400),
        (head("Content-Length: 2", "Content-Length: 3"), 400),
        (head("Transfer-Encoding: identity"), 400),
        (head(path="/" + "a" * 65_534, method="GET"), 414),
        (head(*(f"X-{number}: a" for number in range(100))), 431),
    ],
    ids=["no HTTP", "no name", "no number", "two numbers", "without an end", "a long path", "many headers"],
)
def test_what_is_no_request_is_refused_by_the_http_server_as_documented(
    shared_process: ApiProcess, dial: Dial, sent: bytes, answered: int
) -> None:
    connection = dial(shared_process)
    connection.sendall(sent)
    first, _, body = connection.makefile("rb").read().partition(b"\r\n\r\n")
    assert (int(first.split()[1]), body) == (answered, b"")


def _answers(api: ApiProcess) -> bool:
    try:
        return requests.get(f"{api.url}{LIVE}", timeout=2).ok
    except requests.RequestException:
        return False
