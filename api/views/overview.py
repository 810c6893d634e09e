"""What the installation does now."""

from flask import Response
from flask_smorest import Blueprint

from api.flask_adapter import services, to_response
from api.http.reply import json_reply
from api.operation_documents import provider_document, queue_document, worker_document
from api.schemas.overview import Overview

blueprint = Blueprint("overview", __name__, description="What the installation does now.")


@blueprint.route("/overview")
@blueprint.response(200, Overview())
@blueprint.doc(operationId="read_overview")
def read_overview() -> Response:
    """Read what the installation does now.

    What waits in the queues, which providers can be asked, and which workers are alive: of all tenants together.
    """
    operation = services().operation
    providers, workers = operation.providers(), operation.workers()
    found = {
        "queues": [queue_document(each) for each in operation.queues()],
        "providers": None if providers is None else [provider_document(each) for each in providers],
        "workers": None if workers is None else [worker_document(each) for each in workers],
    }
    return to_response(json_reply(found))
