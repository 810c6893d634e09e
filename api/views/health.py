"""Health: for people, supervisors and load balancers."""

from flask import Response, current_app
from flask_smorest import Blueprint

from api.flask_adapter import services, to_response
from api.health import Checks, is_ready, report
from api.http.errors import NotReady
from api.http.reply import json_reply
from api.problem_types.of_service import NOT_READY
from api.schemas.health import Health, Live
from api.schemas.openapi import PUBLIC
from api.schemas.refusals import refused

blueprint = Blueprint("health", __name__, description="How the service is.")


@blueprint.route("/health")
@blueprint.response(200, Health())
@blueprint.doc(operationId="health", **PUBLIC)
def health() -> Response:
    """Read the state of the service.

    Of its dependencies, background loops and waiting request records. The status is always 200.
    """
    return to_response(json_reply(report(services(), _checks())))


@blueprint.route("/health/live")
@blueprint.response(200, Live())
@blueprint.doc(operationId="live", **PUBLIC)
def live() -> Response:
    """Tell whether this process answers.

    No dependency is asked.
    """
    return to_response(json_reply({"status": "ok"}))


@blueprint.route("/health/ready")
@blueprint.response(200, Live())
@blueprint.doc(operationId="ready", responses=refused(NOT_READY), **PUBLIC)
def ready() -> Response:
    """Tell whether to send requests here.

    Not while the process starts or stops, nor when nothing could be answered.
    """
    if not is_ready(services(), _checks()):
        raise NotReady
    return to_response(json_reply({"status": "ok"}))


def _checks() -> Checks:
    found: Checks = current_app.extensions["askonce_checks"]
    return found
