"""The HTTP API as commands call it: documents in and out, every error a sentence with its exit code."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, TextIO

import requests

from cli.errors import CommandFailed
from cli.exit_codes import ExitCode
from cli.service.refusals import Refused
from cli.service.session import CONNECT_SECONDS, READ_SECONDS, STREAM_SECONDS, new_session
from cli.service.silence import START, Slowness, silent

FIRST_ERROR = 400
API = "/api/v1"

REDIRECTS = range(300, 400)

Json = dict[str, Any]


class Reply(NamedTuple):
    """What the service answered. Names of headers are the same in capitals and in small letters."""

    status: int
    document: Json
    headers: Mapping[str, str]


class Service:
    """A running AskOnce. May be used from many threads. Every method raises CommandFailed."""

    def __init__(self, url: str, key: str | None = None, notes: TextIO | None = None) -> None:
        """`url`: without a slash at its end. `notes`: where to say that an answer takes long; None to be silent."""
        self.url = url
        self._session = new_session(url, key)
        self._slowness = Slowness(notes)

    def get(self, path: str, query: Mapping[str, object] | None = None, **headers: str) -> Json:
        """Return the document at a path. Members of `query` that are None are left out."""
        return self.call("GET", path, query=query, headers=headers).document

    def call(
        self,
        method: str,
        path: str,
        *,
        wait: int = 0,
        headers: Mapping[str, str] | None = None,
        **more: Any,  # noqa: ANN401  what `_send` takes
    ) -> Reply:
        """Make a call; return its answer. Raises Refused for a status of 400 or more, NotReached, and CommandFailed.

        `wait`: the seconds that the service may wait for the end of a job.
        """
        if wait:
            headers = {**(headers or {}), "Prefer": f"wait={wait}"}
        more = {"seconds": READ_SECONDS + wait, **more}
        with self._send(method, path, headers=headers, **more) as response:
            return Reply(response.status_code, self._document(response), response.headers)

    @contextmanager
    def events(self, path: str, body: Json, headers: Mapping[str, str]) -> Iterator[Iterator[str]]:
        """POST, and yield the data of the server-sent events that come back."""
        seconds = READ_SECONDS + STREAM_SECONDS
        with self._send("POST", path, body=body, headers=headers, stream=True, seconds=seconds) as response:
            yield self._data_of(response)

    def _data_of(self, response: requests.Response) -> Iterator[str]:
        try:
            for line in response.iter_lines(chunk_size=1):
                if line.startswith(b"data: "):
                    yield line[len(b"data: ") :].decode(errors="replace")
        except requests.RequestException as error:
            message = f"{self.url} broke off; ask again: what the job finds is kept"
            raise CommandFailed(message, ExitCode.AWAY) from error

    @contextmanager
    def _send(  # noqa: PLR0913  the parts of a request
        self,
        method: str,
        path: str,
        *,
        seconds: float,
        query: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Json | bytes | None = None,
        files: Mapping[str, Any] | None = None,
        stream: bool = False,
    ) -> Iterator[requests.Response]:
        """Send a request, and wait so many seconds for its answer. A body with `files` is a form."""
        call = f"{method} {path}"
        try:
            with self._slowness.told(f"{self.url} to answer {call}, for up to {seconds:g} s"):
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
                    timeout=(CONNECT_SECONDS, seconds),
                )
        except requests.RequestException as error:
            raise silent(self.url, call, seconds, error) from error
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
            raise self._not_ours() from error
        if not isinstance(document, dict):
            raise self._not_ours()
        return document

    def _not_ours(self) -> CommandFailed:
        message = f"{self.url} is no AskOnce: it answered with something else than its JSON"
        return CommandFailed(message, ExitCode.AWAY, START)
