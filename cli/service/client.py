"""The HTTP API as commands call it: documents in and out, every error a sentence with its exit code."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from cli.errors import CommandFailed
from cli.exit_codes import ExitCode
from cli.service.refusals import Refused
from shared.environment.addresses import is_loopback_name

CONNECT_SECONDS = 5.0
READ_SECONDS = 90.0
"""More than the 60 s that `Prefer: wait` may take."""
CONNECTIONS = 64
FIRST_ERROR = 400
API = "/api/v1"

SILENT = "does not answer"
BROKE_OFF = "broke off"
NOT_OURS = "is no AskOnce: it answered with something else than its JSON"
REDIRECTS = range(300, 400)

Json = dict[str, Any]


class Reply(NamedTuple):
    """What the service answered. Names of headers are the same in capitals and in small letters."""

    status: int
    document: Json
    headers: Mapping[str, str]


class _Bearer(AuthBase):
    """Sends the key, if there is one, and never what ~/.netrc says."""

    def __init__(self, key: str | None) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class Service:
    """A running AskOnce. May be used from many threads. Every method raises CommandFailed."""

    def __init__(self, url: str, key: str | None = None) -> None:
        """`url`: without a slash at its end."""
        self.url = url
        self._session = requests.Session()
        self._session.auth = _Bearer(key)
        self._session.headers["User-Agent"] = "askonce"
        # A proxy of the environment would not reach this machine.
        self._session.trust_env = not is_loopback_name(urlsplit(url).hostname or "")
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_maxsize=CONNECTIONS))

    def get(self, path: str, query: Mapping[str, object] | None = None, **headers: str) -> Json:
        """Return the document at a path. Members of `query` that are None are left out."""
        return self.call("GET", path, query=query, headers=headers).document

    def call(self, method: str, path: str, **more: Any) -> Reply:  # noqa: ANN401  what `_send` takes
        """Make a call; return its answer. Raises Refused for a status of 400 or more."""
        with self._send(method, path, **more) as response:
            return Reply(response.status_code, self._document(response), response.headers)

    @contextmanager
    def events(self, path: str, body: Json, headers: Mapping[str, str]) -> Iterator[Iterator[str]]:
        """POST, and yield the data of the server-sent events that come back."""
        with self._send("POST", path, body=body, headers=headers, stream=True) as response:
            yield self._data_of(response)

    def _data_of(self, response: requests.Response) -> Iterator[str]:
        try:
            for line in response.iter_lines(chunk_size=1):
                if line.startswith(b"data: "):
                    yield line[len(b"data: ") :].decode(errors="replace")
        except requests.RequestException as error:
            raise self._away(BROKE_OFF, error) from error

    @contextmanager
    def _send(  # noqa: PLR0913  the parts of a request
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Json | bytes | None = None,
        files: Mapping[str, Any] | None = None,
        stream: bool = False,
    ) -> Iterator[requests.Response]:
        """Send a request. A body with `files` is a form, in which an object is JSON."""
        try:
            response = self._session.request(
                method,
                f"{self.url}{path}",
                params={name: str(value) for name, value in (query or {}).items() if value is not None},
                headers=dict(headers or {}),
                json=body if files is None else None,
                data=body if files is not None else None,
                files=files,
                stream=stream,
                # With a redirect the key would go to another address than the given one.
                allow_redirects=False,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
            )
        except requests.RequestException as error:
            raise self._away(SILENT, error) from error
        with response:
            if response.status_code in REDIRECTS:
                message = f"{self.url} refers to {response.headers.get('Location')}: give that as --url if it is right"
                raise CommandFailed(message, ExitCode.AWAY)
            if response.status_code >= FIRST_ERROR:
                raise Refused(response.status_code, self._document(response), response.headers)
            yield response

    def _document(self, response: requests.Response) -> Json:
        try:
            document = response.json()
        except requests.RequestException as error:
            raise self._away(NOT_OURS, error) from error
        if not isinstance(document, dict):
            raise self._away(NOT_OURS)
        return document

    def _away(self, what: str, error: requests.RequestException | None = None) -> CommandFailed:
        reason = "" if error is None else _reason(error)
        advice = "Start one with `make up`, or say with --url or ASKONCE_URL where it is."
        return CommandFailed(f"{self.url} {what}{reason}. {advice}", ExitCode.AWAY)


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return " (its certificate is not valid)"
    return " in time" if isinstance(error, requests.Timeout) else ""
