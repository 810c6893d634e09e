"""The request log: calls that ask with their requests and responses."""

from typing import Any

from flask import Response, g, request
from flask_smorest import Blueprint

from api.access.access import tenant_to_read
from api.flask_adapter import parse_id, services, to_response
from api.http.documents import exchange_document, request_document
from api.http.reply import json_reply, page_reply
from api.problem_types.of_requests import INVALID, NOT_FOUND
from api.request_log.reader import RequestFilter
from api.schemas.openapi import id_in_path
from api.schemas.queries import RequestListQuery
from api.schemas.refusals import refused
from api.schemas.responses import LoggedExchange, RequestList
from api.views.query import takes_query

blueprint = Blueprint("requests", __name__, description="Every call that asks, on record.")


@blueprint.route("/requests")
@takes_query(blueprint, RequestListQuery())
@blueprint.response(200, RequestList())
@blueprint.doc(operationId="list_requests", responses=refused(INVALID))
def list_requests(query: dict[str, Any]) -> Response:
    """List recorded calls, newest first.

    `next_cursor` leads to the next page, even if this one is not full.
    """
    limit, before = query.pop("limit"), query.pop("cursor", None)
    query["tenant"] = tenant_to_read(g.client, query.get("tenant"))
    page = services().request_reader.page(RequestFilter(**query), limit=limit, before=before)
    return to_response(page_reply("requests", [request_document(each) for each in page.requests], page.cursor, request))


@blueprint.route("/requests/<request_id>", parameters=[id_in_path("request_id")])
@blueprint.response(200, LoggedExchange())
@blueprint.doc(operationId="get_request", responses=refused(NOT_FOUND))
def get_request(request_id: str) -> Response:
    """Read one recorded call.

    With its request and response.
    """
    tenant = tenant_to_read(g.client, None)
    logged, exchange = services().request_reader.get(parse_id(request_id, "request"), tenant)
    return to_response(json_reply(exchange_document(logged, exchange)))
