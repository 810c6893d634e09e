"""POST /predict."""

from functools import partial

from flask import Response, g, request
from flask_smorest import Blueprint

from api import predict as prediction
from api.flask_adapter import dialect, read_body, respond, services
from api.schemas.openapi import PREDICT_DOC

blueprint = Blueprint("predict", __name__, description="Ask, and get the answer or a job")


@blueprint.route("/predict", methods=["POST"])
@blueprint.doc(**PREDICT_DOC)
def predict() -> Response:
    """Answer from the cache (200), or accept a job (202)."""
    call = prediction.PredictCall(
        request_id=g.request_id,
        client=g.client,
        dialect=dialect(),
        content_type=request.content_type or "",
        cache_control=request.headers.get("Cache-Control"),
        prefer=request.headers.get("Prefer"),
        idempotency_key=request.headers.get("Idempotency-Key"),
        read_body=partial(read_body, request),
    )
    return respond(prediction.predict(call, services()))
