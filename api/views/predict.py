"""POST /predict."""

from flask import Response
from flask_smorest import Blueprint

from api.flask_adapter import dialect, respond, services
from api.predict import predict as answer
from api.schemas.openapi import PREDICT_DOC
from api.views.asking import call_to

blueprint = Blueprint("predict", __name__, description="Ask, and get the answer or a job")


@blueprint.route("/predict", methods=["POST"])
@blueprint.doc(**PREDICT_DOC)
def predict() -> Response:
    """Answer from the cache (200), or accept a job (202)."""
    return respond(answer(call_to(dialect()), services()))
