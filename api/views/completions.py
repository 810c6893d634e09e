"""POST /v1/chat/completions, and the models that it may name."""

from typing import Any

from flask import Response
from flask_smorest import Blueprint

from api.flask_adapter import dialect, respond, services, to_response
from api.http.errors import ModelNotFound
from api.http.reply import json_reply
from api.predict import predict as answer
from api.problem_types.of_asking import MODEL
from api.schemas.completions import COMPLETION_DOC, ERRORS, Model, ModelList
from api.schemas.refusals import refused_as_openai
from api.views.asking import call_to
from shared.domain.catalogue import Offer

blueprint = Blueprint("completions", __name__, description="Chat completions and models, for clients of OpenAI's API.")


@blueprint.route("/chat/completions", methods=["POST"])
@blueprint.doc(**COMPLETION_DOC)
def create_chat_completion() -> Response:
    """Create a chat completion.

    It comes from the cache, or, as soon as it is made, from the job that asks the provider.
    """
    return respond(answer(call_to(dialect()), services()))


@blueprint.route("/models")
@blueprint.response(200, ModelList())
@blueprint.doc(operationId="list_models", responses=ERRORS)
def list_models() -> Response:
    """List models.

    First those that a chat completion or a response may name, then those of embeddings.
    """
    offers = {**services().embeddable.offers, **services().completions.offers}
    names = dict.fromkeys([*services().completions.offers, *offers])
    return to_response(json_reply({"object": "list", "data": [_model(name, offers[name]) for name in names]}))


@blueprint.route("/models/<path:name>")
@blueprint.response(200, Model())
@blueprint.doc(operationId="get_model", responses={**refused_as_openai(MODEL), **ERRORS})
def get_model(name: str) -> Response:
    """Read one model.

    It is named as in a request.
    """
    served = (services().completions, services().embeddable)
    offer = next(filter(None, (models.find(name) for models in served)), None)
    if offer is None:
        raise ModelNotFound(name, [each for models in served for each in models.offers])
    return to_response(json_reply(_model(name, offer)))


def _model(name: str, offer: Offer) -> dict[str, Any]:
    serving = offer.serving(offer.model)
    fallbacks = [f"{each.serving.vendor}/{each.model}" for each in offer.fallbacks]
    details = {
        "model": offer.model,
        "task_type": offer.task_type.name,
        "fallbacks": fallbacks,
        "queue": offer.task_type.queue,
    }
    return {
        "id": name,
        "object": "model",
        # When a model was published is not known; 0 says so, and clients need a number.
        "created": 0,
        "owned_by": serving.provider,
        "x_askonce": {**details, "configured": serving.configured},
    }
