"""The RSGI application that stands before Flask (RSGI 1.6, granian's own protocol).

It reads the body of a request, hands the whole to Flask in a thread, and where Flask holds the answer until a job ends,
holds it as a coroutine. It answers `/health/live` itself. Every other rule is Flask's.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from api.flask_adapter import HOLD, request_id, standard_headers
from api.front.bodies import Bodies, Body, ClientGone
from api.front.lane import Lane
from api.front.unread import LargeResponses
from api.front.wsgi import Response, Scope, WsgiApp, call_wsgi, make_environ
from api.http.problems import error_reply, unexpected_reply
from api.http.reply import Reply, json_reply
from api.prefer_wait import Continuation, Held, Outcome
from shared.errors import AskOnceError, Overloaded, RequestTimedOut

LIVE = "/api/v1/health/live"
LARGE_THREADS = 2
OTHER_THREADS = 8
ENDED_THREADS = 4
WITHOUT_END = 1 << 62
"""Of the queue of those who come back: as many as may wait, each with its place already."""

MAX_LOGGED_PATH = 200
LARGE_RESPONSE_BYTES = 256 * 1024
UNREAD_BUDGET_BYTES = 64_000_000
CLOSE = ("Connection", "close")
OF_ONE_BODY = frozenset({"content-type", "content-length"})

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FrontLimits:
    """`lookup_threads` and `job_threads`: of the two lanes of the calls that ask; sizes in bytes.

    `queue`: how many calls may wait for a thread of a lane.
    """

    lookup_threads: int
    job_threads: int
    queue: int
    body_budget: int
    body_seconds: float


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the front has to ask or tell the application that it serves."""

    asks: Callable[[str], bool]
    """Whether a path is one of those that answer from memory, which slower calls must not hold up."""
    max_body: Callable[[str], int]
    """How many bytes the body of a request to this path may have."""
    refused: Callable[[str, str, AskOnceError], None]
    """Called with the path and the id of a request that never reached the application, and why. Must not block."""


class Front:
    """All of one server process. `__rsgi__` and what it calls run in one event loop."""

    def __init__(self, app: WsgiApp, limits: FrontLimits, hooks: Hooks) -> None:
        """`app`: Flask's WSGI application."""
        self._app = app
        self._hooks = hooks
        self.bodies = Bodies(limits.body_budget, limits.body_seconds)
        self._large = LargeResponses(UNREAD_BUDGET_BYTES)
        self.lanes = {
            "lookup": Lane("lookup", limits.lookup_threads, limits.queue),
            "jobs": Lane("jobs", limits.job_threads, limits.queue),
            # Each occupies many times its size on its way into PostgreSQL, and seconds of a thread.
            "large": Lane("large", LARGE_THREADS, limits.queue),
            "other": Lane("other", OTHER_THREADS, limits.queue),
            "ended": Lane("ended", ENDED_THREADS, WITHOUT_END),
        }

    async def __rsgi__(self, scope: Scope, protocol: Any) -> None:  # noqa: ANN401  granian's own names
        """Serve one request."""
        if scope.path == LIVE and scope.method in {"GET", "HEAD"}:
            _send(protocol, _of_reply(json_reply({"status": "ok"}), _headers(_id_of(scope))))
            return
        try:
            response = await self._serve(scope, protocol)
        except ClientGone:
            response = Response(400, [CLOSE], b"")
        except (RequestTimedOut, Overloaded) as err:
            known_as = _id_of(scope)
            self._hooks.refused(scope.path, known_as, err)
            response = _of_reply(error_reply(err), [*_headers(known_as), CLOSE])
        except Exception:
            # The edge of the process: whatever it is, the client gets an answer and the log the cause.
            known_as = _id_of(scope)
            logger.exception("Unexpected error", extra={"path": scope.path[:MAX_LOGGED_PATH], "request_id": known_as})
            response = _of_reply(unexpected_reply(), [*_headers(known_as), CLOSE])
        self._deliver(scope, protocol, response)

    def _deliver(self, scope: Scope, protocol: Any, response: Response) -> None:  # noqa: ANN401  as above
        if len(response.body) > LARGE_RESPONSE_BYTES:
            try:
                self._large.send(protocol, response)
            except Overloaded as err:
                response = _of_reply(error_reply(err), _headers(_id_of(scope)))
            else:
                return
        _send(protocol, response)

    def calls_by_lane(self) -> dict[str, int]:
        """Return how many calls run in, or wait for, a thread of each lane."""
        return {name: lane.inside for name, lane in self.lanes.items()}

    def close(self) -> None:
        """Take no more calls."""
        for lane in self.lanes.values():
            lane.close()

    async def _serve(self, scope: Scope, protocol: Any) -> Response:  # noqa: ANN401  as above
        body = await self._read_body(scope, protocol)
        whole = body.whole
        taken: list[Outcome] = []
        try:
            first, second = self._lanes_for(scope, body)
            response = await first.run(partial(self._call_flask, scope, body, taken.append))
            outcome = taken.pop() if taken else None
            if isinstance(outcome, Continuation):
                outcome = await second.run(outcome.run)
        finally:
            self.bodies.let_go(body)
            del body
        if outcome is not None:
            reply = await self._await_end(outcome, protocol)
            response = _of_reply(reply, [each for each in response.headers if each[0].lower() not in OF_ONE_BODY])
        if not whole:
            response.headers.append(CLOSE)
        return response

    def _lanes_for(self, scope: Scope, body: Body) -> tuple[Lane, Lane]:
        """Return where to call Flask, and where to go on from there."""
        if body.is_large:
            return self.lanes["large"], self.lanes["large"]
        if self._hooks.asks(scope.path):
            return self.lanes["lookup"], self.lanes["jobs"]
        return self.lanes["other"], self.lanes["other"]

    async def _read_body(self, scope: Scope, protocol: Any) -> Body:  # noqa: ANN401  as above
        given = scope.headers.get("content-length")
        if given is None and "transfer-encoding" not in scope.headers:
            return Body()
        length = int(given) if given is not None and "transfer-encoding" not in scope.headers else None
        if length == 0:
            return Body()
        limit = self._hooks.max_body(scope.path)
        if length is not None and length > limit and "expect" in scope.headers:
            # The client waits to be told whether to send its body.
            return Body(whole=False)
        return await self.bodies.read(protocol, length, limit)

    def _call_flask(self, scope: Scope, body: Body, take: Callable[[Outcome], None]) -> Response:
        content, body.content = body.content, b""
        return call_wsgi(self._app, make_environ(scope, content, {HOLD: take}))

    async def _await_end(self, outcome: Reply | Held, protocol: Any) -> Reply:  # noqa: ANN401  as above
        """Wait without a thread for what Flask holds; a client that goes away waits no longer."""
        if isinstance(outcome, Reply):
            return outcome
        gone = asyncio.ensure_future(_disconnected(protocol))
        try:
            while isinstance(outcome, Held):
                woken = _awoken(outcome)
                left = max(0.0, outcome.until - time.monotonic())
                await asyncio.wait((woken, gone), timeout=left, return_when=asyncio.FIRST_COMPLETED)
                outcome = await self.lanes["ended"].run(partial(outcome.resume, last=gone.done()))
            return outcome
        finally:
            gone.cancel()


async def _disconnected(protocol: Any) -> None:  # noqa: ANN401  as above
    await protocol.client_disconnect()


def _awoken(held: Held) -> "asyncio.Future[None]":
    """Return a future that is done once the waiter of a held answer is woken, which may come from any thread."""
    loop = asyncio.get_running_loop()
    woken = loop.create_future()

    def wake() -> None:
        loop.call_soon_threadsafe(_resolve, woken)

    held.services.waiters.when_woken(held.waiter, wake)
    return woken


def _resolve(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


def _id_of(scope: Scope) -> str:
    return request_id(scope.headers.get("x-request-id") or "")


def _headers(known_as: str) -> list[tuple[str, str]]:
    return list(standard_headers(known_as).items())


def _of_reply(reply: Reply, headers: list[tuple[str, str]]) -> Response:
    return Response(reply.status, [*headers, *reply.headers.items(), ("Content-Type", reply.media_type)], reply.body)


def _send(protocol: Any, response: Response) -> None:  # noqa: ANN401  as above
    protocol.response_bytes(response.status, response.headers, response.body)
