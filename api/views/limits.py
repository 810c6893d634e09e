"""Limits and budgets: one's own, and, for admins, those of tenants."""

import re
from typing import Any

from flask import Response, g
from flask_smorest import Blueprint

from api.access.keys import TENANT, TENANT_RULE
from api.flask_adapter import services, to_response
from api.http.reply import json_reply
from api.problem_types.of_requests import INVALID, MALFORMED, NOT_FOUND
from api.schemas.limits import OwnLimits, TenantChanges, TenantLimits, TenantLimitsList
from api.schemas.refusals import refused
from api.views.body import takes_body
from shared.domain.limits import NO_LIMITS, Limits
from shared.domain.request import Client
from shared.errors import NotFound

blueprint = Blueprint("limits", __name__, description="How much each may ask, and what it may cost.")


@blueprint.route("/limits")
@blueprint.response(200, OwnLimits())
@blueprint.doc(operationId="get_limits")
def get_limits() -> Response:
    """Read your own limits.

    With what you use of them.
    """
    client: Client = g.client
    own = None
    if client.key_id is not None:
        usage = services().usage.of(client.tenant, client.key_id, client.limits)
        own = {"id": client.key_id, "limits": client.limits.document(), "usage": usage}
    return to_response(json_reply({"key": own, "tenant": _document(client.tenant, client.tenant_limits)}))


@blueprint.route("/tenants")
@blueprint.response(200, TenantLimitsList())
@blueprint.doc(operationId="list_tenants")
def list_tenants() -> Response:
    """List the tenants that have limits."""
    found = services().keys.store.tenant_limits()
    return to_response(json_reply({"tenants": [_document(name, limits) for name, limits in found.items()]}))


@blueprint.route("/tenants/<tenant>")
@blueprint.response(200, TenantLimits())
@blueprint.doc(operationId="get_tenant", responses=refused(NOT_FOUND))
def get_tenant(tenant: str) -> Response:
    """Read a tenant's limits.

    Those of a tenant that was never heard of can be read too.
    """
    _check_name(tenant)
    limits = services().keys.store.tenant_limits().get(tenant, NO_LIMITS)
    return to_response(json_reply(_document(tenant, limits)))


@blueprint.route("/tenants/<tenant>", methods=["PATCH"])
@takes_body(blueprint, TenantChanges())
@blueprint.response(200, TenantLimits())
@blueprint.doc(operationId="change_tenant", responses=refused(NOT_FOUND, INVALID, MALFORMED))
def change_tenant(body: dict[str, Any], tenant: str) -> Response:
    """Change a tenant's limits.

    They say what all its keys may use up together. What is left out stays, and null removes a limit.
    """
    _check_name(tenant)
    return to_response(json_reply(_document(tenant, services().keys.limit_tenant(tenant, body["limits"]))))


def _document(tenant: str, limits: Limits) -> dict[str, Any]:
    usage = services().usage.of(tenant, limits=limits)
    return {"tenant": tenant, "limits": limits.document(), "usage": usage}


def _check_name(tenant: str) -> None:
    if not re.fullmatch(TENANT, tenant):
        message = f"There is no tenant {tenant[:64]!r}: its name {TENANT_RULE}."
        raise NotFound(message)
