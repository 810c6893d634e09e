"""POST /explain, and the same for bodies of other endpoints."""

from flask import Response, g, request
from flask_smorest import Blueprint

from api.dialects.base import Dialect
from api.dialects.responses import ResponseCall
from api.explaining.explain import Question, explain
from api.flask_adapter import dialects, read_body, response_endpoint, services, to_response
from api.http.explained import ASKED_AT, EXPLAIN, EXPLAIN_COMPLETION
from api.http.reply import json_reply
from api.limits.headers import limit_headers
from api.schemas.explanation import EXPLAIN_COMPLETION_DOC, EXPLAIN_DOC, EXPLAIN_RESPONSE_DOC

blueprint = Blueprint("explain", __name__, description="Why a request is a hit or a miss.")


@blueprint.route("/explain", methods=["POST"])
@blueprint.doc(**EXPLAIN_DOC)
def explain_request() -> Response:
    """Explain a request.

    Says what its key is made of, what the tiers hold for it, and what would become of it. Asks nobody.
    """
    return _explained(dialects()[ASKED_AT[EXPLAIN]])


@blueprint.route("/explain/chat/completions", methods=["POST"])
@blueprint.doc(**EXPLAIN_COMPLETION_DOC)
def explain_chat_completion() -> Response:
    """Explain a chat completion."""
    return _explained(dialects()[ASKED_AT[EXPLAIN_COMPLETION]])


@blueprint.route("/explain/responses", methods=["POST"])
@blueprint.doc(**EXPLAIN_RESPONSE_DOC)
def explain_response() -> Response:
    """Explain a response."""
    return _explained(ResponseCall(response_endpoint()))


def _explained(dialect: Dialect) -> Response:
    body = read_body(request, dialect.max_body_bytes)
    # As calls that ask do: where tenants share answers, nobody may try out for free what others have asked.
    rates = services().rates.take(g.client)
    asked = Question(g.client, dialect, request.content_type or "", request.headers.get("Cache-Control"), body)
    return to_response(json_reply(explain(asked, services()), headers=limit_headers(rates, None)))
