"""The catalogue."""

from flask import Response
from flask_smorest import Blueprint

from api.flask_adapter import services, to_response
from api.http.reply import json_reply
from api.schemas.responses import TaskList
from shared.domain.catalogue import Offer

blueprint = Blueprint("tasks", __name__, description="What can be asked.")


@blueprint.route("/tasks")
@blueprint.response(200, TaskList())
@blueprint.doc(operationId="list_tasks")
def list_tasks() -> Response:
    """List the task types.

    With their options and results as JSON Schema, models and queues.
    """
    return to_response(json_reply({"tasks": [_describe(offer) for offer in services().catalogue.values()]}))


def _describe(offer: Offer) -> dict[str, object]:
    task_type, serving = offer.task_type, offer.serving(offer.model)
    fallback = next(iter(offer.fallbacks), None)
    return {
        "task_type": task_type.name,
        "description": task_type.about,
        "input": task_type.input,
        "queue": task_type.queue,
        "provider": serving.provider if serving.configured else None,
        "model": offer.model,
        "fallback_model": None if fallback is None else fallback.model,
        "fallback_provider": None if fallback is None else fallback.serving.provider,
        "models": list(offer.allowed_models),
        "options": task_type.options_schema(),
        "result": task_type.result,
    }
