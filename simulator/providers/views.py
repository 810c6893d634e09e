"""The providers' addresses, as their own clients call them."""

from flask import Blueprint, Response, request

from simulator.providers.exchange import ProviderExchange
from simulator.providers.groq import GroqModels
from simulator.providers.hugging_face import HuggingFaceModels
from simulator.providers.wire import GROQ, HUGGING_FACE, named_model


def provider_views(exchange: ProviderExchange, groq: GroqModels, hugging_face: HuggingFaceModels) -> Blueprint:
    """Return the views of both kinds of providers."""
    views = Blueprint("providers", __name__)

    @views.post("/openai/v1/chat/completions")
    def groq_chat() -> Response:
        return exchange.serve(GROQ, named_model(request.get_data()), groq.answer)

    @views.post("/hf-inference/models/<path:model>")
    def classify(model: str) -> Response:
        return exchange.serve(HUGGING_FACE, model, hugging_face.classify)

    @views.post("/v1/chat/completions")
    def hugging_face_chat() -> Response:
        return exchange.serve(HUGGING_FACE, named_model(request.get_data()), hugging_face.chat)

    return views
