"""Health: for people, supervisors and load balancers."""

from flask import Response, current_app
from flask_smorest import Blueprint

from api.flask_adapter import services, to_response
from api.health import Checks, is_ready, report
from api.http.problems import problem
from api.http.reply import json_reply
from api.schemas.health import Health, Live
from api.schemas.openapi import PUBLIC

blueprint = Blueprint("health", __name__, description="How the service is")


@blueprint.route("/health")
@blueprint.response(200, Health())
@blueprint.doc(operationId="health", **PUBLIC)
def health() -> Response:
    """Show the state of dependencies, background loops and waiting request records; always 200."""
    return to_response(json_reply(report(services(), _checks())))


@blueprint.route("/health/live")
@blueprint.response(200, Live())
@blueprint.doc(operationId="live", **PUBLIC)
def live() -> Response:
    """Tell whether this process answers; asks no dependency."""
    return to_response(json_reply({"status": "ok"}))


@blueprint.route("/health/ready")
@blueprint.response(200, Live())
@blueprint.alt_response(503, "Problem")
@blueprint.doc(operationId="ready", **PUBLIC)
def ready() -> Response:
    """Tell whether to send requests here: not while starting or stopping, nor when nothing could be answered."""
    if is_ready(services(), _checks()):
        return to_response(json_reply({"status": "ok"}))
    detail = "The process is starting or stopping, or PostgreSQL and both cache tiers are down."
    return to_response(problem(status=503, code="not_ready", title="Not ready", detail=detail))


def _checks() -> Checks:
    found: Checks = current_app.extensions["askonce_checks"]
    return found
