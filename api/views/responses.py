"""Responses: have one made, read it and its input, cancel it, delete it."""

from typing import Any

from flask import Response, g, request
from flask_smorest import Blueprint

from api import responding
from api.dialects.responses import ResponseCall
from api.flask_adapter import body_reader, respond, response_endpoint, services, to_response
from api.http.reply import json_reply
from api.problem_types.of_requests import INVALID, MALFORMED, NOT_FOUND
from api.responses.events import BEFORE_ALL
from api.responses.input_items import with_ids
from api.responses.item_pages import page_of
from api.schemas.completions import ERRORS
from api.schemas.refusals import refused_as_openai
from api.schemas.response_objects import (
    CREATE_DOC,
    GET_DOC,
    RESPONSE_ID,
    DeletedResponse,
    InputItemList,
    InputItemQuery,
    ResponseObject,
    ResponseQuery,
)
from api.views.asking import call_to
from api.views.query import takes_query

KNOWN = {**refused_as_openai(NOT_FOUND), **ERRORS}

blueprint = Blueprint("responses", __name__, description="The Responses API, for clients of OpenAI's API.")


@blueprint.route("/responses", methods=["POST"])
@blueprint.doc(**CREATE_DOC)
def create_response() -> Response:
    """Create a response.

    It comes from the cache, or, as soon as it is made, from the job that asks the provider. With `background` it comes
    at once, to be polled.
    """
    dialect = ResponseCall(response_endpoint())
    call = call_to(dialect, body_reader(request, dialect.max_body_bytes))
    return respond(responding.respond_later(call, services()))


@blueprint.route("/responses/<response_id>", parameters=[RESPONSE_ID])
@takes_query(blueprint, ResponseQuery())
@blueprint.doc(**GET_DOC)
def get_response(query: dict[str, Any], response_id: str) -> Response:
    """Read a stored response.

    As it is now; with `stream`, its events, also while it is made.
    """
    if query.get("stream"):
        after = query.get("starting_after", BEFORE_ALL)
        return respond(responding.stream_response(response_id, after, g.client, response_endpoint(), services()))
    return to_response(json_reply(responding.read_response(response_id, g.client, services())))


@blueprint.route("/responses/<response_id>", methods=["DELETE"], parameters=[RESPONSE_ID])
@blueprint.response(200, DeletedResponse())
@blueprint.doc(operationId="delete_response", responses=KNOWN)
def delete_response(response_id: str) -> Response:
    """Delete a stored response.

    Its job goes on, if it has not ended.
    """
    responding.delete_response(response_id, g.client, services())
    return to_response(json_reply({"id": response_id, "object": "response", "deleted": True}))


@blueprint.route("/responses/<response_id>/cancel", methods=["POST"], parameters=[RESPONSE_ID])
@blueprint.response(200, ResponseObject())
@blueprint.doc(operationId="cancel_response", responses={**KNOWN, **refused_as_openai(MALFORMED)})
def cancel_response(response_id: str) -> Response:
    """Cancel a response that is made in the background.

    One that has ended stays as it is.
    """
    return to_response(json_reply(responding.cancel_response(response_id, g.client, services())))


@blueprint.route("/responses/<response_id>/input_items", parameters=[RESPONSE_ID])
@takes_query(blueprint, InputItemQuery())
@blueprint.response(200, InputItemList())
@blueprint.doc(operationId="list_input_items", responses={**KNOWN, **refused_as_openai(INVALID)})
def list_input_items(query: dict[str, Any], response_id: str) -> Response:
    """List the input of a stored response.

    Without that of the responses before it; newest first unless `order` is `asc`.
    """
    record = responding.stored_response(response_id, g.client, services())
    return to_response(json_reply(page_of(with_ids(record.items, record.id), **query)))
