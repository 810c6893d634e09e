"""The providers' addresses, as their own clients call them."""

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from simulator.providers.exchange import ProviderExchange
from simulator.providers.groq import GroqModels
from simulator.providers.hugging_face import HuggingFaceModels
from simulator.providers.model_lists import groq_models, hugging_face_models, openai_models
from simulator.providers.openai import LISTED_MODELS, OpenAIModels
from simulator.providers.wire import GROQ, HUGGING_FACE, OPENAI, named_model


def groq_views(exchange: ProviderExchange, groq: GroqModels) -> Blueprint:
    """Return the views of Groq."""
    views = Blueprint("groq", __name__, url_prefix="/openai/v1")

    @views.post("/chat/completions")
    def chat() -> Response:
        return exchange.serve(GROQ, named_model(request.get_data()), groq.answer)

    @views.get("/models")
    def models() -> ResponseReturnValue:
        return groq_models(groq.models)

    return views


def hugging_face_views(exchange: ProviderExchange, hugging_face: HuggingFaceModels) -> Blueprint:
    """Return the views of Hugging Face's router."""
    views = Blueprint("hugging_face", __name__)

    @views.post("/hf-inference/models/<path:model>")
    def classify(model: str) -> Response:
        return exchange.serve(HUGGING_FACE, model, hugging_face.classify)

    @views.post("/v1/chat/completions")
    def chat() -> Response:
        return exchange.serve(HUGGING_FACE, _without_provider(named_model(request.get_data())), hugging_face.chat)

    @views.post("/hf-inference/models/<path:model>/pipeline/feature-extraction")
    def embed(model: str) -> Response:
        return exchange.serve(HUGGING_FACE, model, hugging_face.embed)

    @views.get("/v1/models")
    def models() -> ResponseReturnValue:
        return hugging_face_models(hugging_face.chat_models)

    return views


def openai_views(exchange: ProviderExchange, openai: OpenAIModels) -> Blueprint:
    """Return the views of a plain OpenAI-compatible server."""
    views = Blueprint("openai", __name__, url_prefix="/compatible/v1")

    @views.post("/chat/completions")
    def chat() -> Response:
        return exchange.serve(OPENAI, named_model(request.get_data()), openai.chat)

    @views.post("/embeddings")
    def embed() -> Response:
        return exchange.serve(OPENAI, named_model(request.get_data()), openai.embed)

    @views.get("/models")
    def models() -> ResponseReturnValue:
        return openai_models(LISTED_MODELS)

    return views


def _without_provider(model: str | None) -> str | None:
    """Return the model without the `:provider` that Hugging Face's router takes after it."""
    return model and model.partition(":")[0]
