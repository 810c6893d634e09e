"""Passes one whole request to a WSGI application (PEP 3333) and collects its whole response."""

import sys
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from typing import Any, NamedTuple, Protocol

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Scope(Protocol):
    """The head of a request: `path` is decoded, header names are in lower case."""

    method: str
    path: str
    query_string: str
    http_version: str
    scheme: str
    client: str
    server: str
    authority: str | None
    headers: Any


class Response(NamedTuple):
    """Status, headers and the whole body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


def make_environ(scope: Scope, body: bytes, extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return the WSGI environment; headers that occur more than once are joined by commas."""
    host, _, port = scope.server.rpartition(":")
    client, _, client_port = scope.client.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode(errors="replace").decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": client.strip("[]"),
        "REMOTE_PORT": client_port,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **extra,
    }
    for name, value in scope.headers.items():
        # WSGI would confuse a name that has an underscore with that which has a hyphen. Flask would take an offer.
        if "_" in name or name == "upgrade":
            continue
        key = name.upper().replace("-", "_")
        key = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    if scope.authority is not None:
        # RFC 9112, section 3.2.2: an absolute target replaces Host.
        environ["HTTP_HOST"] = scope.authority
    return environ


def call_wsgi(app: WsgiApp, environ: dict[str, Any]) -> Response:
    """Run the application; return its response, with a streamed body joined."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], None]:
        del exc_info
        started[:] = [(status, headers)]
        return lambda _: None

    parts = app(environ, start_response)
    try:
        body = b"".join(parts)
    finally:
        if (close := getattr(parts, "close", None)) is not None:
            close()
    status, headers = started[0]
    return Response(int(status[:3]), headers, body)
