"""Purging the cache."""

from typing import Any

from flask import Response, current_app, g
from flask_smorest import Blueprint

from api.flask_adapter import services, to_response
from api.http.reply import json_reply
from api.problem_types.of_requests import INVALID
from api.problem_types.of_service import DATABASE, TIER, UNAVAILABLE
from api.purging import (
    CACHE_KEY_PATTERN,
    PurgeSlots,
    purge_key,
    purge_task_type,
    weigh_key,
    weigh_task_type,
)
from api.schemas.queries import KeyPurgeQuery, PurgeQuery
from api.schemas.refusals import refused
from api.schemas.responses import Purged
from api.views.query import takes_query

KEY = {"in": "path", "name": "key", "schema": {"type": "string", "pattern": CACHE_KEY_PATTERN}}

blueprint = Blueprint("cache", __name__, description="Forget answers.")


@blueprint.route("/cache", methods=["DELETE"])
@takes_query(blueprint, PurgeQuery())
@blueprint.response(200, Purged())
@blueprint.doc(operationId="purge_by_task_type", responses=refused(INVALID, UNAVAILABLE, DATABASE))
def purge_by_task_type(query: dict[str, Any]) -> Response:
    """Purge all answers of a task type.

    When this returns, no process serves them any more. `dry_run` only counts them.
    """
    slots: PurgeSlots = current_app.extensions["askonce_purge_slots"]
    namespace = services().access.namespace(g.client, query.get("tenant"))
    # To count them takes as long as to delete them.
    with slots.taken(namespace):
        purge = weigh_task_type if query["dry_run"] else purge_task_type
        return to_response(json_reply(purge(query["task_type"], namespace, services())))


@blueprint.route("/cache/<key>", methods=["DELETE"], parameters=[KEY])
@takes_query(blueprint, KeyPurgeQuery())
@blueprint.response(200, Purged())
@blueprint.doc(operationId="purge_by_key", responses=refused(INVALID, TIER))
def purge_by_key(query: dict[str, Any], key: str) -> Response:
    """Purge the answer of one cache key.

    `dry_run` only says whether there is one.
    """
    namespaces = services().access.namespaces(g.client, query.get("tenant"))
    purge = weigh_key if query["dry_run"] else purge_key
    return to_response(json_reply(purge(key, namespaces, services())))
