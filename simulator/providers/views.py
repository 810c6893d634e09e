"""The providers' addresses, as their own clients call them."""

from flask import Blueprint, Response, request

from simulator.providers.exchange import ProviderExchange
from simulator.providers.groq import GroqModels
from simulator.providers.hugging_face import HuggingFaceModels
from simulator.providers.openai import OpenAIModels
from simulator.providers.wire import GROQ, HUGGING_FACE, OPENAI, named_model


def provider_views(
    exchange: ProviderExchange, groq: GroqModels, hugging_face: HuggingFaceModels, openai: OpenAIModels
) -> Blueprint:
    """Return the views of all kinds of providers."""
    views = Blueprint("providers", __name__)

    @views.post("/openai/v1/chat/completions")
    def groq_chat() -> Response:
        return exchange.serve(GROQ, named_model(request.get_data()), groq.answer)

    @views.post("/hf-inference/models/<path:model>")
    def classify(model: str) -> Response:
        return exchange.serve(HUGGING_FACE, model, hugging_face.classify)

    @views.post("/v1/chat/completions")
    def hugging_face_chat() -> Response:
        return exchange.serve(HUGGING_FACE, _without_provider(named_model(request.get_data())), hugging_face.chat)

    @views.post("/compatible/v1/chat/completions")
    def openai_chat() -> Response:
        return exchange.serve(OPENAI, named_model(request.get_data()), openai.chat)

    return views


def _without_provider(model: str | None) -> str | None:
    """Return the model without the `:provider` that Hugging Face's router takes after it."""
    return model and model.partition(":")[0]
