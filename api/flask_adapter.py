"""Connects our framework-free replies to Flask."""

import re
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from uuid import UUID

from flask import Request, Response, current_app, g, request

from api.access.access import require
from api.access.scopes import is_public, scopes_of
from api.bootstrap import ApiServices
from api.dialects.base import Dialect, Endpoint
from api.dialects.embeddings import EmbeddingEndpoint
from api.dialects.responses import ResponseEndpoint
from api.http.openai_errors import for_path
from api.http.origins import Origins
from api.http.reply import JSON, Reply
from api.prefer_wait import Outcome, finish_here
from api.schemas.queries import REQUEST_ID
from shared.errors import NotFound, RequestTooLarge
from shared.logs.context import log_fields
from shared.times import new_id_text
from shared.traces.context import parse_traceparent

HOLD = "askonce.hold"
"""Key in the WSGI environment for a callable of the asynchronous front. It takes outcomes that are not replies yet."""

OTHER_BODY_BYTES = 64 * 1024
"""Limit of a body where none is expected."""

SANE_REQUEST_ID = re.compile(REQUEST_ID)


def services() -> ApiServices:
    """Return the services of the running app."""
    found: ApiServices = current_app.extensions["askonce"]
    return found


def dialects() -> Mapping[str, Dialect]:
    """Return the dialects of the running app, by path."""
    found: Mapping[str, Dialect] = current_app.extensions["askonce_dialects"]
    return found


def dialect() -> Dialect:
    """Return the dialect of the path that this request asks."""
    return dialects()[request.path]


def endpoints() -> Mapping[str, Endpoint]:
    """Return all that the running app is asked by, by path: the dialects among them."""
    found: Mapping[str, Endpoint] = current_app.extensions["askonce_endpoints"]
    return found


def embedding_endpoint() -> EmbeddingEndpoint:
    """Return the endpoint for embeddings of the running app."""
    found: EmbeddingEndpoint = current_app.extensions["askonce_embeddings"]
    return found


def response_endpoint() -> ResponseEndpoint:
    """Return the endpoint for responses of the running app."""
    found: ResponseEndpoint = current_app.extensions["askonce_responses"]
    return found


def origins() -> Origins:
    """Return the origins whose pages may use the running app."""
    found: Origins = current_app.extensions["askonce_origins"]
    return found


def respond(outcome: Outcome) -> Response:
    """Return Flask's response for an outcome. One that is no reply yet goes to the front, which replaces the response.

    With a server that has no front, this thread waits for the reply.
    """
    take = request.environ.get(HOLD)
    if take is None or isinstance(outcome, Reply):
        return to_response(finish_here(outcome))
    take(outcome)
    return Response(status=202, content_type=JSON)


def to_response(reply: Reply) -> Response:
    """Return Flask's response for a reply, in the shape that clients of this request's path expect."""
    reply = for_path(request.path, reply)
    response = Response(reply.body, reply.status, content_type=reply.media_type)
    response.headers.update(reply.headers)
    return response


def read_body(request: Request, limit: int) -> bytes:
    """Return the whole body; raise RequestTooLarge, after at most one byte more than `limit`, when it is larger."""
    message = f"The body is larger than {limit:,} bytes. Send a smaller one."
    if request.content_length is not None and request.content_length > limit:
        raise RequestTooLarge(message)
    body = request.stream.read(limit + 1)
    if len(body) > limit:
        raise RequestTooLarge(message)
    return body


def body_reader(request: Request, limit: int) -> Callable[[int], bytes]:
    """Read the body now, for a call that goes on after this request's context; what is wrong with it is raised then."""
    try:
        body = read_body(request, limit)
    except RequestTooLarge as err:
        return partial(_raise, err)
    return lambda _: body


def _raise(error: RequestTooLarge, _: int) -> bytes:
    raise error


def request_id(given: str) -> str:
    """Return the client's X-Request-ID if it is valid, else a new one."""
    return given if SANE_REQUEST_ID.fullmatch(given) else new_id_text()


def choose_request_id(request: Request) -> None:
    """Choose the id of this request, and its trace. Until `leave`, every log line carries them.

    `g.trace` is None but for calls that ask.
    """
    g.request_id = request_id(request.headers.get("X-Request-ID", ""))
    g.log_context = ExitStack()
    traceparent = request.headers.get("traceparent")
    asks = request.method == "POST" and request.path in endpoints()
    g.trace = services().tracing.begin(traceparent, request.path) if asks else None
    known = g.trace.own if g.trace is not None else parse_traceparent(traceparent)
    g.log_context.enter_context(log_fields(request_id=g.request_id, trace_id=known and known.trace_id))


def admit(request: Request, services: ApiServices) -> None:
    """Find the client of this request, which views read as `g.client`.

    Raises NotAuthenticated, InsufficientScope, and DatabaseUnavailable where a new key can't be looked up. Whoever asks
    for something that does not exist, or is public, needs no key.
    """
    endpoint = request.endpoint
    if endpoint is None or is_public(endpoint, services.settings):
        return
    g.client = services.access.client(request.headers)
    require(g.client, *scopes_of(endpoint))


def leave(_: BaseException | None) -> None:
    """End the log context that `choose_request_id` began."""
    if "log_context" in g:
        g.pop("log_context").close()


def standard_headers(request_id: str) -> dict[str, str]:
    """Return the headers of every response. A response may set other values for them."""
    return {"X-Request-ID": request_id, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def finish(response: Response) -> Response:
    """Add the headers that every response has. For pages of other origins the front adds its own."""
    if HOLD not in request.environ:
        response.headers.extend(origins().headers(request.headers.get("Origin")))
    for name, value in standard_headers(g.get("request_id") or new_id_text()).items():
        response.headers.setdefault(name, value)
    return response


def parse_id(text: str, kind: str) -> UUID:
    """Return the id of a job or a request from a path; raise NotFound if it is no id."""
    try:
        return UUID(text)
    except ValueError as err:
        message = f"There is no {kind} {text[:64]!r}. Check the id: it is a UUID."
        raise NotFound(message) from err
