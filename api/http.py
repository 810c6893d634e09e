"""Where our replies meet Flask."""

import re
from contextlib import ExitStack
from uuid import UUID

from flask import Request, Response, current_app, g

from api.intake import Rules
from api.queries import REQUEST_ID
from api.reply import Reply
from shared.bootstrap import Services
from shared.errors import NotFound, RequestTooLarge
from shared.ids import new_id
from shared.log_context import log_fields

SANE_REQUEST_ID = re.compile(REQUEST_ID)


def services() -> Services:
    """Return what the running app works with."""
    found: Services = current_app.extensions["askonce"]
    return found


def rules() -> Rules:
    """Return what the running app accepts."""
    found: Rules = current_app.extensions["askonce_rules"]
    return found


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


def choose_request_id(request: Request) -> None:
    """Take the client's X-Request-ID if it is sane, else make one; until `leave` every line in the log carries it."""
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if SANE_REQUEST_ID.fullmatch(given) else str(new_id())
    g.log_context = ExitStack()
    g.log_context.enter_context(log_fields(request_id=g.request_id))


def leave(_: BaseException | None) -> None:
    """End what `choose_request_id` began."""
    if "log_context" in g:
        g.pop("log_context").close()


def finish(response: Response) -> Response:
    """Set the headers that every response has."""
    response.headers["X-Request-ID"] = g.get("request_id") or str(new_id())
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    return response


def parse_id(text: str, kind: str) -> UUID:
    """Read the id of a job or a request from a path; raise NotFound for what is none."""
    try:
        return UUID(text)
    except ValueError as err:
        message = f"There is no {kind} {text[:64]!r}."
        raise NotFound(message) from err
