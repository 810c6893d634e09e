"""POST /predict."""

from flask import Response
from flask_smorest import Blueprint

from api.flask_adapter import dialect, respond, services
from api.predict import predict as answer
from api.schemas.openapi import PREDICT_DOC
from api.views.asking import call_to

blueprint = Blueprint("predict", __name__, description="Ask, and get the answer or a job.")


@blueprint.route("/predict", methods=["POST"])
@blueprint.doc(**PREDICT_DOC)
def predict() -> Response:
    """Ask.

    The answer comes from the cache (200); otherwise a job is accepted that gets it (202). Hits are free.
    """
    return respond(answer(call_to(dialect()), services()))
