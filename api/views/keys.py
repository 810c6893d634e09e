"""API keys: make, list, change, rotate, revoke. For admins."""

from datetime import timedelta
from typing import Any

from flask import Response
from flask_smorest import Blueprint

from api.access.documents import key_document
from api.access.keys import NewKey
from api.flask_adapter import services, to_response
from api.http.reply import json_reply
from api.problem_types.of_access import REVOKED
from api.problem_types.of_requests import INVALID, MALFORMED, NOT_FOUND
from api.problem_types.of_service import DATABASE
from api.schemas.keys import ApiKey, ApiKeyChanges, ApiKeyList, NewApiKey, Rotation, ShownKey
from api.schemas.queries import KeyListQuery
from api.schemas.refusals import refused
from api.views.body import takes_body
from api.views.query import takes_query
from shared.domain.limits import limits_from

blueprint = Blueprint("keys", __name__, description="Who may ask, and for what.")


@blueprint.route("/keys", methods=["POST"])
@takes_body(blueprint, NewApiKey())
@blueprint.response(201, ShownKey())
@blueprint.doc(operationId="create_key", responses=refused(INVALID, MALFORMED, DATABASE))
def create_key(body: dict[str, Any]) -> Response:
    """Make a key.

    Its text, `key`, is in this response and nowhere else.
    """
    given = {**body, "scopes": frozenset(body["scopes"]), "limits": limits_from(body.get("limits", {}))}
    new = NewKey(**given)
    key, text = services().keys.create(new)
    return to_response(json_reply({**key_document(key), "key": text}, 201))


@blueprint.route("/keys")
@takes_query(blueprint, KeyListQuery())
@blueprint.response(200, ApiKeyList())
@blueprint.doc(operationId="list_keys", responses=refused(INVALID))
def list_keys(query: dict[str, Any]) -> Response:
    """List keys, newest first.

    Revoked ones too.
    """
    found = services().keys.store.all(query.get("tenant"))
    return to_response(json_reply({"keys": [key_document(key) for key in found]}))


@blueprint.route("/keys/<key_id>")
@blueprint.response(200, ApiKey())
@blueprint.doc(operationId="get_key", responses=refused(NOT_FOUND))
def get_key(key_id: str) -> Response:
    """Read a key."""
    return to_response(json_reply(key_document(services().keys.store.get(key_id))))


@blueprint.route("/keys/<key_id>", methods=["PATCH"])
@takes_body(blueprint, ApiKeyChanges())
@blueprint.response(200, ApiKey())
@blueprint.doc(operationId="change_key", responses=refused(NOT_FOUND, INVALID, MALFORMED))
def change_key(body: dict[str, Any], key_id: str) -> Response:
    """Change a key.

    Its name, scopes, expiry or limits; what is left out stays.
    """
    return to_response(json_reply(key_document(services().keys.change(key_id, body))))


@blueprint.route("/keys/<key_id>/rotate", methods=["POST"])
@takes_body(blueprint, Rotation())
@blueprint.response(200, ShownKey())
@blueprint.doc(operationId="rotate_key", responses=refused(NOT_FOUND, REVOKED, INVALID, MALFORMED))
def rotate_key(body: dict[str, Any], key_id: str) -> Response:
    """Give a key a new secret.

    The one before stays valid for `grace_seconds`.
    """
    key, text = services().keys.rotate(key_id, timedelta(seconds=body["grace_seconds"]))
    return to_response(json_reply({**key_document(key), "key": text}))


@blueprint.route("/keys/<key_id>", methods=["DELETE"])
@blueprint.response(200, ApiKey())
@blueprint.doc(operationId="revoke_key", responses=refused(NOT_FOUND))
def revoke_key(key_id: str) -> Response:
    """Revoke a key for good.

    Every process refuses it within a second.
    """
    return to_response(json_reply(key_document(services().keys.revoke(key_id))))
