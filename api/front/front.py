"""The asynchronous front before Flask.

It reads the body of a request. Then the fast path answers it, or it is passed to Flask in a thread. If the answer has
to wait for a job, a coroutine waits here. `/health/live` is answered here too. All other rules are Flask's.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from api.flask_adapter import HOLD
from api.front.bodies import SMALL_BYTES, Bodies, Body, ClientGone
from api.front.exchange import Exchange
from api.front.fast_path import FastPath, Threads
from api.front.held_calls import HeldCalls
from api.front.hooks import Hooks
from api.front.lane import Lane
from api.front.polls import Polls
from api.front.responses import CLOSE, Begun, headers_for, id_of, log_ids, to_response
from api.front.streams import Streams
from api.front.unread import LargeResponses, UnreadBytes
from api.front.wsgi import Response, Scope, WsgiApp, call_wsgi, make_environ
from api.http.openai_errors import for_path
from api.http.problems import error_reply, unexpected_reply
from api.http.reply import Reply, json_reply
from api.metrics_limits import FrontUse
from api.prefer_wait import Continuation, Held, Outcome
from api.streams.reader import DeltaReader
from shared.errors import Overloaded, RequestError, Unavailable

T = TypeVar("T")
LIVE = "/api/v1/health/live"
LARGE_THREADS = 2
OTHER_THREADS = 8

STRANGERS_BYTES = 16 * 1024
"""A body that is larger, or of unknown size, is only read from those who are let in."""

MAX_LOGGED_PATH = 200
LARGE_RESPONSE_BYTES = 256 * 1024
OF_ONE_BODY = frozenset({"content-type", "content-length"})

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FrontLimits:
    """`lookup_threads` and `job_threads`: sizes of the two lanes for `predict`. Body sizes in bytes, times in seconds.

    `queue`: how many calls may wait for a thread of a lane. `bodies_arriving`: small bodies that may arrive at once.
    `unread_budget`: bytes of large responses that clients may leave unread.
    """

    lookup_threads: int
    job_threads: int
    queue: int
    body_budget: int
    body_seconds: float
    bodies_arriving: int
    unread_budget: int


class Front:
    """The front of one server process. `serve` and everything that it calls run in one event loop."""

    def __init__(  # noqa: PLR0913, PLR0917  the last three may be missing
        self,
        app: WsgiApp,
        limits: FrontLimits,
        hooks: Hooks,
        fast_path: FastPath | None = None,
        polls: Polls | None = None,
        deltas: DeltaReader | None = None,
    ) -> None:
        """`app`: Flask's WSGI application. Without `fast_path` and `polls` it serves everything.

        `deltas`: reads answers while they are made. Without it clients get them, in pieces too, when they are whole.
        """
        self._fast_path = fast_path
        self._polls = polls
        self._app = app
        self._hooks = hooks
        self.bodies = Bodies(limits.body_budget, limits.body_seconds, limits.bodies_arriving)
        self._unread = UnreadBytes(limits.unread_budget)
        self._large = LargeResponses(self._unread)
        self._held = HeldCalls(hooks.read_jobs)
        self.lanes = {
            "lookup": Lane("lookup", limits.lookup_threads, limits.queue),
            "jobs": Lane("jobs", limits.job_threads, limits.queue),
            # On its way into PostgreSQL, each takes many times its size in memory, and a thread for seconds.
            "large": Lane("large", LARGE_THREADS, limits.queue),
            "other": Lane("other", OTHER_THREADS, limits.queue),
            "ended": self._held.lane,
            **({} if polls is None else {"polls": polls.lane}),
        }

        self._deltas = deltas
        self._streams = None if deltas is None else Streams(deltas, self._unread, self._held)

    async def serve(self, scope: Scope, exchange: Exchange) -> None:
        """Serve one request."""
        if scope.path == LIVE and scope.method in {"GET", "HEAD"}:
            self._deliver(scope, exchange, to_response(json_reply({"status": "ok"}), headers_for(id_of(scope))))
            return
        try:
            response = await self._serve(scope, exchange)
        except ClientGone:
            response = Response(400, [CLOSE], b"")
        except (RequestError, Unavailable) as err:
            known_as = id_of(scope)
            self._hooks.refused(scope, known_as, err)
            reply = for_path(scope.path, error_reply(err))
            response = to_response(reply, [*headers_for(known_as), CLOSE])
        except Exception:
            # The outermost handler: after any error the client gets an answer, and the log the cause.
            known_as = id_of(scope)
            logger.exception(
                "Unexpected error", extra={"path": scope.path[:MAX_LOGGED_PATH], **log_ids(scope, known_as)}
            )
            response = to_response(for_path(scope.path, unexpected_reply()), [*headers_for(known_as), CLOSE])
        if response is not None:
            self._deliver(scope, exchange, response)

    def _deliver(self, scope: Scope, exchange: Exchange, response: Response) -> None:
        shared = self._hooks.for_origin(scope.headers.get("origin"))
        response.headers.extend(shared)
        if len(response.body) > LARGE_RESPONSE_BYTES:
            try:
                self._large.send(exchange, response)
            except Overloaded as err:
                reply = for_path(scope.path, error_reply(err))
                response = to_response(reply, [*headers_for(id_of(scope)), *shared])
            else:
                return
        exchange.respond(*response)

    def use(self) -> FrontUse:
        """Return what clients use now. Any thread may ask."""
        calls = {name: lane.inside for name, lane in self.lanes.items()}
        listeners = 0 if self._deltas is None else self._deltas.listeners
        return FrontUse(self.bodies.arriving, self.bodies.taken, self._unread.unread, calls, listeners)

    def close(self) -> None:
        """Accept no more calls."""
        for lane in self.lanes.values():
            lane.close()
        if self._fast_path is not None:
            self._fast_path.close()
        if self._streams is not None:
            self._streams.reader.close()

    async def _serve(self, scope: Scope, exchange: Exchange) -> Response | None:
        """Return the response; None if it was sent in pieces."""
        if self._polls is not None and (polled := self._polls.job_of(scope)) is not None:
            return await self._polls.serve(polled, scope)
        body = await self._read_body(scope, exchange)
        whole = body.whole
        try:
            begun = await self._begin(scope, body, exchange)
            outcome = begun.outcome
            if isinstance(outcome, Continuation):
                outcome = await self._run(self._job_lane(body), outcome.run, exchange)
        finally:
            self.bodies.let_go(body)
            del body
        response = await self._await_end(outcome, begun.headers, scope, exchange)
        if not whole and response is not None:
            response.headers.append(CLOSE)
        return response

    async def _begin(self, scope: Scope, body: Body, exchange: Exchange) -> Begun:
        """Serve a call on the fast path, or by Flask as far as that goes without PostgreSQL."""
        asks = self._hooks.asks(scope.path)
        lane = self.lanes["large" if body.is_large else "lookup" if asks else "other"]
        if asks and scope.method == "POST" and self._fast_path is not None and body.whole:
            threads = Threads(
                lambda call: self._run(lane, call, exchange),
                lambda call: self._run(self._job_lane(body), call, exchange),
            )
            begun = await self._fast_path.serve(scope, body.content, threads)
            if begun is not None:
                return begun
        taken: list[Outcome] = []
        response = await self._run(lane, partial(self._call_flask, scope, body, taken.append), exchange)
        if not taken:
            return Begun([], response)
        return Begun([each for each in response.headers if each[0].lower() not in OF_ONE_BODY], taken.pop())

    def _job_lane(self, body: Body) -> Lane:
        return self.lanes["large" if body.is_large else "jobs"]

    async def _run(self, lane: Lane, call: Callable[[], T], exchange: Exchange) -> T:
        """Run a call in a lane; drop it if the client disconnects while it waits for a thread."""
        if not lane.is_busy:
            return await lane.run(call)
        gone = asyncio.ensure_future(exchange.disconnected())
        try:
            return await lane.run(call, gone)
        finally:
            gone.cancel()

    async def _read_body(self, scope: Scope, exchange: Exchange) -> Body:
        given = scope.headers.get("content-length")
        if given == "0" or (given is None and "transfer-encoding" not in scope.headers):
            return Body()
        length = None if given is None else int(given)
        limit = self._hooks.max_body(scope.path)
        if (length is None or length > STRANGERS_BYTES) and not self._hooks.knows(scope):
            await self._run(self.lanes["other"], partial(self._hooks.admit, scope), exchange)
        if length is not None and length > limit and "expect" in scope.headers:
            # The client sends its body only after a go-ahead (`Expect: 100-continue`), which it does not get.
            return Body(whole=False)
        if length is not None and length <= min(limit, SMALL_BYTES) and (content := exchange.whole_body()) is not None:
            return self.bodies.take(content)
        return await self.bodies.read(exchange, length, limit)

    def _call_flask(self, scope: Scope, body: Body, take: Callable[[Outcome], None]) -> Response:
        content, body.content = body.content, b""
        return call_wsgi(self._app, make_environ(scope, content, {HOLD: take}))

    async def _await_end(
        self,
        outcome: Reply | Held | Response,
        headers: list[tuple[str, str]],
        scope: Scope,
        exchange: Exchange,
    ) -> Response | None:
        """Return the response, None if it was sent in pieces.

        Waits, without a thread, until a held answer is ready or the client disconnects.
        """
        if isinstance(outcome, Response):
            return outcome
        if isinstance(outcome, Reply):
            return to_response(outcome, headers)
        gone = asyncio.ensure_future(exchange.disconnected())
        try:
            if self._streams is not None and outcome.listens is not None:
                shared = self._hooks.for_origin(scope.headers.get("origin"))
                call = self._streams.begin(exchange, outcome.listens, [*headers, *shared])
                reply = await self._streams.serve(outcome, call, gone)
                return None if reply is None else to_response(reply, headers)
            return to_response(await self._held.reply(outcome, gone), headers)
        finally:
            gone.cancel()
