"""Heads that are not as HTTP/1.1 has them: refused or read as they must be, and never an answer to someone else."""

import pytest

from tests.api_process import ApiProcess
from tests.raw_http import CANARY, LIVE, Answer, exchange

REFUSED = [400]


def get(*lines: str, target: str = LIVE, version: str = "HTTP/1.1") -> bytes:
    given = ["Host: localhost", "X-Request-ID: hostile", *lines]
    return "\r\n".join([f"GET {target} {version}", *given, "", ""]).encode("latin-1")


def answers(api: ApiProcess, *sent: bytes) -> list[Answer]:
    """Send hostile bytes and a plain request after them."""
    found = exchange(api.url, *sent, CANARY)
    assert [each.known_as for each in found if each.known_as == "canary"] in ([], [found[-1].known_as])
    return found


def statuses(api: ApiProcess, *sent: bytes) -> list[int]:
    return [each.status for each in answers(api, *sent)]


@pytest.mark.parametrize(
    "line",
    [
        *("X-A : b", "X-A\t: b", " X-A: b", "X A: b", ": b", "X-A", "X-\x00A: b", "X-\xe4: b", "(X): b"),
        *("X-A: b\x00c", "X-A: b\rc", "X-A: b\x7fc", "X-A: b\x01c", "X-A: b\r\n c", "X-A: b\r\n\tc", "X-A:\r\n b"),
    ],
)
def test_a_line_that_is_no_header_is_refused(shared_process: ApiProcess, line: str) -> None:
    assert statuses(shared_process, get(line)) == REFUSED


@pytest.mark.parametrize("line", ["X-A:b", "X-A: \t b \t", "X-A:", "X-A: \xff\xfe", "x-a: a, b\r\nX-A: c", "X_A: b"])
def test_a_header_may_have_blanks_around_its_value_and_any_text(shared_process: ApiProcess, line: str) -> None:
    assert statuses(shared_process, get(line)) == [200, 200]


@pytest.mark.parametrize(
    "first",
    [
        *(
            "GET /\xe4 HTTP/1.1",
            "GET /?\xe4 HTTP/1.1",
            "GET",
            f"GET {LIVE}",
            f"GET\t{LIVE}\tHTTP/1.1",
            f" GET {LIVE} HTTP/1.1",
        ),
        *(f"GET {LIVE} HTTP/1.1 ", f"GET {LIVE} HTTP/2.0", f"GET {LIVE} HTTP/0.9", f"GET {LIVE} HTTP/1.2"),
        *(f"GET {LIVE} http/1.1", f"GET {LIVE} HTTP/1.11", f"GET {LIVE}\x00 HTTP/1.1", f"G\x00T {LIVE} HTTP/1.1"),
        *("GET /a b HTTP/1.1", f"GET {LIVE}\r HTTP/1.1", f"G(T {LIVE} HTTP/1.1"),
    ],
)
def test_a_first_line_that_is_none_is_refused(shared_process: ApiProcess, first: str) -> None:
    assert statuses(shared_process, f"{first}\r\nHost: localhost\r\n\r\n".encode("latin-1")) == REFUSED


def test_a_line_does_not_end_with_a_line_feed_alone(shared_process: ApiProcess) -> None:
    lines = [f"GET {LIVE} HTTP/1.1", "Host: localhost", "X-Request-ID: hostile", "", ""]
    assert statuses(shared_process, "\n".join(lines).encode()) == REFUSED


def test_a_blank_too_many_before_the_target_is_none_of_it(shared_process: ApiProcess) -> None:
    assert statuses(shared_process, get(target=f" {LIVE}")) == [200, 200]


def test_blank_lines_before_a_request_are_none(shared_process: ApiProcess) -> None:
    assert statuses(shared_process, b"\r\n\r\n", get()) == [200, 200]


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (f"http://localhost{LIVE}", 200),
        (f"http://localhost:1{LIVE}", 200),
        ("http://localhost/api/v1/jobs", 200),
        ("http://evil.example/api/v1/jobs", 421),
        ("http://localhost@evil.example/api/v1/jobs", 400),
        ("http://evil.example@localhost/api/v1/jobs", 400),
        ("http://localhost", 302),
        ("//evil.example/api/v1/jobs", 404),
        ("/api/v1/%2e%2e/v1/jobs", 404),
        ("/api/v1/jobs%00", 404),
        ("/api/v1/jobs%e4", 404),
        ("/api/v1/jobs?a=%e4", 422),
        ("/api/v1/jobs#a", 200),
    ],
)
def test_a_target_is_read_as_it_is(shared_process: ApiProcess, target: str, status: int) -> None:
    assert statuses(shared_process, get(target=target)) == [status, 200]


@pytest.mark.parametrize("line", ["OPTIONS * HTTP/1.1", "CONNECT localhost:80 HTTP/1.1", "GET api HTTP/1.1"])
def test_a_target_that_is_no_path_is_nothing_of_ours(shared_process: ApiProcess, line: str) -> None:
    first, *_ = answers(shared_process, f"{line}\r\nHost: localhost\r\n\r\n".encode())
    assert first.status in {400, 404, 405}


def test_who_speaks_the_old_version_is_answered_once(shared_process: ApiProcess) -> None:
    (found,) = answers(shared_process, get(version="HTTP/1.0"))
    assert (found.status, found.known_as) == (200, "hostile")


def test_who_speaks_the_old_version_may_keep_the_connection(shared_process: ApiProcess) -> None:
    assert statuses(shared_process, get("Connection: keep-alive", version="HTTP/1.0")) == [200, 200]


@pytest.mark.parametrize(
    "lines",
    [
        ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"],
        [
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        ],
        ["Connection: Content-Length, Host, X-Request-ID"],
        ["Expect: 100-continue"],
        ["Expect: something"],
        ["Te: trailers", "Trailer: Content-Length"],
    ],
)
@pytest.mark.parametrize("path", [LIVE, "/api/v1/tasks"], ids=["by the front", "by Flask"])
def test_an_offer_that_we_do_not_take_changes_nothing(shared_process: ApiProcess, lines: list[str], path: str) -> None:
    assert statuses(shared_process, get(*lines, target=path)) == [200, 200]


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["X-A: " + "a" * 60_000], 200),
        (["X-A: " + "a" * 200_000], 431),
        (["X-" + "a" * 200_000 + ": a"], 431),
        ([f"X-{number}: a" for number in range(98)], 200),
        ([f"X-{number}: a" for number in range(200)], 431),
    ],
    ids=["a long value", "too long a value", "too long a name", "many headers", "too many headers"],
)
def test_a_head_has_a_size(shared_process: ApiProcess, lines: list[str], status: int) -> None:
    assert statuses(shared_process, get(*lines))[0] == status


@pytest.mark.parametrize("name", ["X-Request-ID", "Prefer", "Cache-Control", "Host", "Accept", "Origin"])
@pytest.mark.parametrize(
    "value",
    [
        *("a\rX-Injected: 1", "a\nX-Injected: 1", "a\r\n X-Injected: 1", "a\x00\r\nX-Injected: 1"),
        *(
            "a%0d%0aX-Injected: 1",
            "a\\r\\nX-Injected: 1",
            "a\x85X-Injected: 1",
            "\xe5\x98\x8a\xe5\x98\x8dX-Injected: 1",
        ),
    ],
)
def test_what_a_header_says_becomes_no_header_of_a_response(shared_process: ApiProcess, name: str, value: str) -> None:
    lines = {"Host": "localhost", "Content-Length": "2", "Content-Type": "application/json", name: value}
    given = "\r\n".join(f"{each}: {said}" for each, said in lines.items())
    found = answers(shared_process, f"POST /api/v1/predict HTTP/1.1\r\n{given}\r\n\r\n{{}}".encode("latin-1"))
    assert not any("x-injected" in each.headers or "njected" in str(each.headers) for each in found)


def test_pipelined_requests_are_answered_in_their_order(shared_process: ApiProcess) -> None:
    body = b'{"task_type": "sentiment", "input": "a pipelined question"}'
    wait = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nPrefer: wait=1"
    sent, wanted = [], []
    for number in range(40):
        method, path, more = [
            ("GET", LIVE, "X: a"),
            ("POST", "/api/v1/predict", wait if number % 20 == 1 else wait.replace("wait=1", "wait=0")),
            ("GET", "/api/v1/jobs?limit=1", "X: a"),
            ("GET", "/api/v1/jobs/01890a5d-ac96-774b-bcce-b302099a8057", "X: a"),
        ][number % 4]
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: n{number}\r\n{more}\r\n\r\n"
        sent.append(head.encode() + (body if method == "POST" else b""))
        wanted.append((f"n{number}", {"GET": 404 if "018" in path else 200, "POST": 202}[method]))
    found = exchange(shared_process.url, *sent, CANARY)
    assert [(each.known_as, each.status) for each in found] == [*wanted, ("canary", 200)]
