"""POST /explain, and the same for bodies of other endpoints."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Response, g, request
from flask_smorest import Blueprint

from api.bootstrap import ApiServices
from api.dialects.base import Endpoint
from api.dialects.responses import ResponseCall
from api.explaining import embeddings
from api.explaining.explain import Question, explain
from api.flask_adapter import dialects, embedding_endpoint, read_body, response_endpoint, services, to_response
from api.http.explained import ASKED_AT, EXPLAIN, EXPLAIN_COMPLETION
from api.http.reply import json_reply
from api.limits.headers import limit_headers
from api.schemas.explanation import EXPLAIN_COMPLETION_DOC, EXPLAIN_DOC, EXPLAIN_EMBEDDINGS_DOC, EXPLAIN_RESPONSE_DOC

E = TypeVar("E", bound=Endpoint)

blueprint = Blueprint("explain", __name__, description="Why a request is a hit or a miss.")


@blueprint.route("/explain", methods=["POST"])
@blueprint.doc(**EXPLAIN_DOC)
def explain_request() -> Response:
    """Explain a request.

    Says what its key is made of, what the tiers hold for it, and what would become of it. Asks nobody.
    """
    return _explained(dialects()[ASKED_AT[EXPLAIN]], explain)


@blueprint.route("/explain/chat/completions", methods=["POST"])
@blueprint.doc(**EXPLAIN_COMPLETION_DOC)
def explain_chat_completion() -> Response:
    """Explain a chat completion."""
    return _explained(dialects()[ASKED_AT[EXPLAIN_COMPLETION]], explain)


@blueprint.route("/explain/responses", methods=["POST"])
@blueprint.doc(**EXPLAIN_RESPONSE_DOC)
def explain_response() -> Response:
    """Explain a response."""
    return _explained(ResponseCall(response_endpoint()), explain)


@blueprint.route("/explain/embeddings", methods=["POST"])
@blueprint.doc(**EXPLAIN_EMBEDDINGS_DOC)
def explain_embeddings() -> Response:
    """Explain embeddings.

    Says of each text what its key is made of, and what the tiers hold for it.
    """
    return _explained(embedding_endpoint(), embeddings.explain_embeddings)


def _explained(endpoint: E, explained: Callable[[Question[E], ApiServices], dict[str, Any]]) -> Response:
    body = read_body(request, endpoint.max_body_bytes)
    # As calls that ask do: where tenants share answers, nobody may try out for free what others have asked.
    rates = services().rates.take(g.client)
    asked = Question(g.client, endpoint, request.content_type or "", request.headers.get("Cache-Control"), body)
    return to_response(json_reply(explained(asked, services()), headers=limit_headers(rates, None)))
