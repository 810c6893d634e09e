"""What the command line sends to a service, and what it makes of odd answers."""

import json
from pathlib import Path

import pytest

from cli.errors import CommandFailed
from cli.service.client import Service
from tests.integration.raw_server import answer, raw_server

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
