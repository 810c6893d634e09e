"""What the command line sends to a service, and what it makes of odd answers."""

import io
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from cli.errors import CommandFailed
from cli.service import client, silence
from cli.service.client import Service
from cli.service.silence import silent
from tests.integration.raw_server import RawServer, answer, head, raw_server
from tests.unit.cli.terminal import Terminal

KEY = "ak_something"
PATH = "/api/v1/health"


def failed(service: Service) -> CommandFailed:
    with pytest.raises(CommandFailed) as failure:
        service.get(PATH)
    return failure.value


def test_the_key_is_sent_and_not_what_netrc_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with raw_server(answer(b"{}")) as server:
        Service(server.url, KEY).get(PATH)
        Service(server.url).get(PATH)
    sent = [request.decode().lower() for request in server.requests]
    assert [f"authorization: bearer {KEY}" in head for head in sent] == [True, False]
    assert [head for head in sent if "authorization: basic" in head] == []


def test_a_redirect_is_named_and_not_followed() -> None:
    with raw_server(answer(b"{}")) as other:
        moved = answer(b"{}", "302 Found", f"Location: {other.url}{PATH}\r\n")
        with raw_server(moved) as server:
            failure = failed(Service(server.url, KEY))
    assert (failure.exit_code, other.requests) == (3, [])
    assert f"refers to {other.url}" in str(failure)


@pytest.mark.parametrize("content", [b"<html>", b"[]", b""])
@pytest.mark.parametrize("status", ["200 OK", "502 Bad Gateway"])
def test_an_answer_of_something_else_is_no_askonce(content: bytes, status: str) -> None:
    with raw_server(answer(content, status)) as server:
        failure = failed(Service(server.url))
    assert (failure.exit_code, f"{server.url} is no AskOnce" in str(failure)) == (3, True)


@pytest.mark.parametrize(
    ("status", "problem", "code", "said"),
    [
        ("401 Unauthorized", {"detail": "No key.", "code": "not_authenticated"}, 4, "No key. Set ASKONCE_KEY"),
        ("403 Forbidden", {"detail": "No scope.", "code": "insufficient_scope"}, 4, "askonce keys create"),
        ("404 Not Found", {"detail": "No job.", "code": "not_found"}, 5, "No job."),
        ("429 Too Many Requests", {"detail": "Later.", "code": "quota_exceeded"}, 8, "Later."),
        ("503 Unavailable", {"detail": "No database.", "code": "database_unavailable"}, 3, "No database."),
        ("502 Bad Gateway", {"detail": "It failed.", "code": "bad_answer", "job_id": "x"}, 6, "It failed."),
        ("422 Unprocessable", {"errors": [{"pointer": "/input", "detail": "is required"}]}, 2, "input: is required"),
        ("400 Bad Request", {"error": {"message": "No such model."}}, 2, "No such model."),
        ("418 Teapot", {}, 1, "the service answered with 418"),
    ],
)
def test_a_refusal_is_a_sentence_and_an_exit_code(
    status: str, problem: dict[str, object], code: int, said: str
) -> None:
    with raw_server(answer(json.dumps(problem).encode(), status)) as server:
        failure = failed(Service(server.url))
    assert (failure.exit_code, said in str(failure)) == (code, True)


def hang(server: RawServer, _: socket.socket, __: bytes) -> None:
    """Answer nothing, as an API does that is stopped by SIGSTOP."""
    server.stopping.wait()


def test_a_service_that_hangs_is_given_up_and_what_to_do_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "READ_SECONDS", 0.2)
    with raw_server(hang) as server:
        failure = failed(Service(server.url))
    assert failure.exit_code == 3
    assert str(failure).startswith(f"{server.url} has not answered GET {PATH} within 0.2 s. It may hang, or")


def test_a_service_that_may_wait_for_a_job_may_take_longer_to_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def respond(server: RawServer, connection: socket.socket, request: bytes) -> None:
        server.stopping.wait(0.5)
        answer(b"{}")(server, connection, request)

    monkeypatch.setattr(client, "READ_SECONDS", 0.2)
    with raw_server(respond) as server:
        assert Service(server.url).call("GET", PATH, wait=5).status == 200
    assert b"\r\nprefer: wait=5\r\n" in server.requests[0].lower()


@pytest.mark.parametrize(
    ("notes", "said"),
    [(Terminal(), "waiting for {} to answer GET /api/v1/health, for up to 0.5 s\n"), (io.StringIO(), "")],
)
def test_what_is_awaited_is_said_at_a_terminal_once_it_takes_long(
    notes: io.StringIO, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "READ_SECONDS", 0.5)
    monkeypatch.setattr(silence, "SLOW_SECONDS", 0.0)
    with raw_server(hang) as server:
        failed(Service(server.url, notes=notes))
    assert notes.getvalue() == said.format(server.url)


def test_a_picture_may_take_longer_to_send_than_a_connection_to_make(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "CONNECT_SECONDS", 0.7)
    content = b"x" * 10_000_000

    def read_slowly(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        began, received = time.monotonic(), 0
        with connection:
            while received < len(content) and (piece := connection.recv(65536)):
                received += len(piece)
                time.sleep(max(0.0, began + 2 * received / len(content) - time.monotonic()))
            connection.sendall(head(2) + b"{}")

    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as reading:
        # Little of it is on its way at a time.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        reading.submit(read_slowly, listener)
        service = Service(f"http://127.0.0.1:{listener.getsockname()[1]}")
        assert service.call("POST", PATH, body={}, files={"file": content}).status == 200


def test_a_name_that_nobody_knows_is_told_from_a_service_that_is_away() -> None:
    error = requests.ConnectionError()
    error.__cause__ = socket.gaierror()
    failure = silent("http://askonce.invalid", "GET /", 1, error)
    assert str(failure).startswith("http://askonce.invalid can't be reached: nobody knows an address of that name. Is")
