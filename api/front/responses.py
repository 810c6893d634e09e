"""Our framework-free replies as responses of the front, with the headers that every response has."""

from typing import NamedTuple

from api.flask_adapter import request_id, standard_headers
from api.front.wsgi import Response, Scope
from api.http.reply import Reply
from api.prefer_wait import Outcome
from shared.traces.context import parse_traceparent

CLOSE = ("Connection", "close")


class Begun(NamedTuple):
    """A call that has a response, or an outcome that becomes one. `headers`: those that it has in addition then."""

    headers: list[tuple[str, str]]
    outcome: Outcome | Response


def id_of(scope: Scope) -> str:
    """Return the request's id: the client's if it is valid, else a new one."""
    return request_id(scope.headers.get("x-request-id") or "")


def log_ids(scope: Scope, known_as: str) -> dict[str, str]:
    """Return the fields of a log line about a request with this id."""
    trace = parse_traceparent(scope.headers.get("traceparent"))
    return {"request_id": known_as, **({} if trace is None else {"trace_id": trace.trace_id})}


def headers_for(known_as: str) -> list[tuple[str, str]]:
    """Return the headers that every response has."""
    return list(standard_headers(known_as).items())


def to_response(reply: Reply, headers: list[tuple[str, str]]) -> Response:
    """Return the response for a reply, with these headers in addition to its own."""
    return Response(reply.status, [*headers, *reply.headers.items(), ("Content-Type", reply.media_type)], reply.body)
