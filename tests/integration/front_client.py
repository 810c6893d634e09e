"""Calls of the asynchronous front as the server makes them, without a server."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask import Flask

from api.bootstrap import ApiServices
from api.front.exchange import ResponseStream
from api.front.front import Front
from api.http1 import head
from api.server import fast_path_of, make_front, polls_of
from tests.integration.apps import lent_app

PREDICT = "/api/v1/predict"


class Headers(head.Headers):
    """The headers of a request."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        super().__init__(list(pairs))


@dataclass(frozen=True)
class Call:
    """A request, in the shape of the server's."""

    headers: Headers
    body: bytes = b""
    method: str = "POST"
    path: str = PREDICT
    query_string: str = ""
    authority: str | None = None
    http_version: str = "1.1"
    scheme: str = "http"
    client: str = "127.0.0.1:5000"
    server: str = "127.0.0.1:8000"


@dataclass
class Received:
    """A response, in the place of the server's exchange."""

    body_sent: bytes
    status: int = 0
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""

    def __aiter__(self) -> "Received":
        return self

    async def __anext__(self) -> bytes:
        sent, self.body_sent = self.body_sent, b""
        return sent

    is_complete = True

    def whole_body(self) -> bytes | None:
        return None

    async def disconnected(self) -> None:
        await asyncio.Event().wait()

    async def drained(self) -> None:
        pass

    def respond(self, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    def begin(self, status: int, headers: Sequence[tuple[str, str]]) -> ResponseStream:
        raise NotImplementedError

    def header(self, name: str) -> str | None:
        found: Mapping[str, str] = {each.lower(): value for each, value in self.headers}
        return found.get(name)


class FrontClient:
    """A front in an event loop of its own."""

    def __init__(self, services: ApiServices, app: Flask, *, fast: bool, runner: asyncio.Runner) -> None:
        """`app`: serves from these services. `fast`: whether it has the fast paths."""
        self.by_flask = 0
        inner = app.wsgi_app

        def counted(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
            self.by_flask += 1
            return inner(environ, start_response)

        app.wsgi_app = counted  # type: ignore[method-assign]
        self.front: Front = make_front(
            services, app, fast_path_of(services, app) if fast else None, polls_of(services) if fast else None
        )
        # The front has it now, and the application is as it was.
        del app.wsgi_app
        self._runner = runner

    def call(self, call: Call) -> Received:
        """Make a call and wait for its response."""
        received = Received(call.body)
        self.pass_on(call, received)
        return received

    def pass_on(self, call: Call, received: Received) -> None:
        """Make a call whose body and response `received` has, and wait for its end."""
        self._runner.run(self.front.serve(call, received))

    def run(self, what: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine in the event loop of the front."""
        self._runner.run(what)

    def post(self, body: bytes, **headers: str) -> Received:
        """POST a JSON body to predict. Headers are given in the way of `cache_control="no-store"`."""
        return self.call(json_call(body, **headers))


def json_call(body: bytes, **headers: str) -> Call:
    """Return a plain POST to predict."""
    usual = {"host": "localhost", "content-type": "application/json", "content-length": str(len(body))}
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Call(Headers(tuple({**usual, **given}.items())), body)


@contextmanager
def fronts(services: ApiServices) -> Iterator[tuple[FrontClient, FrontClient]]:
    """Open a front with the fast path and one without it."""
    with asyncio.Runner() as runner, lent_app(services) as first, lent_app(services) as second:
        both = (
            FrontClient(services, first, fast=True, runner=runner),
            FrontClient(services, second, fast=False, runner=runner),
        )
        try:
            yield both
        finally:
            for each in both:
                runner.run(_closed(each.front))


async def _closed(front: Front) -> None:
    front.close()
    # Transports that were aborted end in the loop's next turn.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
