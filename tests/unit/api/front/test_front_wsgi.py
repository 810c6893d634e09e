from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from api.front.wsgi import call_wsgi, make_environ


class Headers:
    """In lower case, some of them more than once, as the server has them."""

    def __init__(self, *pairs: tuple[str, str]) -> None:
        self._pairs = list(pairs)

    def items(self) -> list[tuple[str, str]]:
        return self._pairs


@dataclass
class Scope:
    method: str = "POST"
    path: str = "/api/v1/predict"
    query_string: str = "a=1"
    http_version: str = "1.1"
    scheme: str = "http"
    client: str = "127.0.0.1:40000"
    server: str = "127.0.0.1:8000"
    authority: str | None = None
    headers: Headers = field(default_factory=Headers)


def environ_of(*headers: tuple[str, str], **scope: Any) -> dict[str, Any]:
    return make_environ(Scope(headers=Headers(*headers), **scope), b"body", {"extra": 1})


def test_the_head_is_in_the_environment() -> None:
    environ = environ_of(("content-type", "application/json"), ("x-request-id", "r1"))
    names = ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "SERVER_PROTOCOL", "REMOTE_ADDR", "SERVER_PORT")
    assert [environ[name] for name in names] == [
        "POST",
        "/api/v1/predict",
        "a=1",
        "HTTP/1.1",
        "127.0.0.1",
        "8000",
    ]
    assert (environ["CONTENT_TYPE"], environ["HTTP_X_REQUEST_ID"], environ["extra"]) == ("application/json", "r1", 1)


def test_the_body_is_there_and_ends() -> None:
    environ = environ_of()
    assert (environ["wsgi.input"].read(), environ["wsgi.input_terminated"]) == (b"body", True)


def test_a_header_that_comes_twice_can_be_told_from_one() -> None:
    assert environ_of(("host", "a"), ("host", "a"))["HTTP_HOST"] == "a,a"


def test_a_header_with_an_underscore_does_not_pass_for_another() -> None:
    environ = environ_of(("x_request_id", "forged"), ("content_length", "7"))
    assert ("HTTP_X_REQUEST_ID" in environ, "CONTENT_LENGTH" in environ) == (False, False)


def test_an_offer_of_another_protocol_is_no_business_of_the_application() -> None:
    assert "HTTP_UPGRADE" not in environ_of(("connection", "upgrade"), ("upgrade", "websocket"))


def test_an_absolute_target_wins_over_host() -> None:
    assert environ_of(("host", "localhost"), authority="evil.example")["HTTP_HOST"] == "evil.example"


def test_a_path_beyond_ascii_is_in_latin_1_as_wsgi_wants_it() -> None:
    assert environ_of(path="/jobs/ü")["PATH_INFO"] == "/jobs/ü".encode().decode("latin-1")


@pytest.mark.parametrize(("version", "protocol"), [("1.0", "HTTP/1.0"), ("1.1", "HTTP/1.1")])
def test_the_version_is_written_out(version: str, protocol: str) -> None:
    assert environ_of(http_version=version)["SERVER_PROTOCOL"] == protocol


class Parts:
    """A response in parts that wants to be closed."""

    closed = False

    def __iter__(self) -> Any:
        return iter([b"a", b"b"])

    def close(self) -> None:
        self.closed = True


def test_a_response_is_gathered_and_closed() -> None:
    parts = Parts()

    def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("201 Created", [("X-Name", "value")])
        return parts

    response = call_wsgi(app, {})
    assert (response.status, response.headers, response.body, parts.closed) == (
        201,
        [("X-Name", "value")],
        b"ab",
        True,
    )
