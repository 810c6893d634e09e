"""Where our replies meet Flask."""

import re
from contextlib import ExitStack
from uuid import UUID

from flask import Request, Response, current_app, g, request

from api.bootstrap import ApiServices
from api.http.intake import Rules
from api.http.reply import Reply
from api.prefer_wait import Outcome, finish_here
from api.schemas.queries import REQUEST_ID
from shared.errors import NotFound, RequestTooLarge
from shared.logs.context import log_fields
from shared.times import new_id

HOLD = "askonce.hold"
"""Where the asynchronous front, in the WSGI environment, takes what is no reply yet: a callable."""

OTHER_BODY_BYTES = 64 * 1024
"""What is read of a body where none is expected."""

SANE_REQUEST_ID = re.compile(REQUEST_ID)


def services() -> ApiServices:
    """Return what the running app works with."""
    found: ApiServices = current_app.extensions["askonce"]
    return found


def rules() -> Rules:
    """Return what the running app accepts."""
    found: Rules = current_app.extensions["askonce_rules"]
    return found


def respond(outcome: Outcome) -> Response:
    """Hand an outcome to Flask. What is no reply yet goes to the front, which puts the reply in this response's place.

    With a server that has no front, the reply is awaited here.
    """
    take = request.environ.get(HOLD)
    if take is None or isinstance(outcome, Reply):
        return to_response(finish_here(outcome))
    take(outcome)
    return Response(status=202)


def to_response(reply: Reply) -> Response:
    """Hand a reply to Flask."""
    response = Response(reply.body, reply.status, content_type=reply.media_type)
    response.headers.update(reply.headers)
    return response


def read_body(request: Request, limit: int) -> bytes:
    """Read the whole body; raise RequestTooLarge, having read no more than `limit` bytes, when it has more."""
    message = f"The body is larger than {limit} bytes."
    if request.content_length is not None and request.content_length > limit:
        raise RequestTooLarge(message)
    body = request.stream.read(limit + 1)
    if len(body) > limit:
        raise RequestTooLarge(message)
    return body


def request_id(given: str) -> str:
    """Return the client's X-Request-ID if it is sane, else a new one."""
    return given if SANE_REQUEST_ID.fullmatch(given) else str(new_id())


def choose_request_id(request: Request) -> None:
    """Decide under which id this request is known; until `leave` every line in the log carries it."""
    g.request_id = request_id(request.headers.get("X-Request-ID", ""))
    g.log_context = ExitStack()
    g.log_context.enter_context(log_fields(request_id=g.request_id))


def leave(_: BaseException | None) -> None:
    """End what `choose_request_id` began."""
    if "log_context" in g:
        g.pop("log_context").close()


def standard_headers(request_id: str) -> dict[str, str]:
    """Return the headers that every response has, unless it has others of the same name."""
    return {"X-Request-ID": request_id, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def finish(response: Response) -> Response:
    """Set the headers that every response has."""
    for name, value in standard_headers(g.get("request_id") or str(new_id())).items():
        response.headers.setdefault(name, value)
    return response


def parse_id(text: str, kind: str) -> UUID:
    """Read the id of a job or a request from a path; raise NotFound for what is none."""
    try:
        return UUID(text)
    except ValueError as err:
        message = f"There is no {kind} {text[:64]!r}."
        raise NotFound(message) from err
