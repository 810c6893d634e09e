"""Hugging Face's router: picture classification, embeddings, and chat with models that see."""

import base64
import binascii
import json

from shared.domain.task_type import ChatCompletion, ImageClassification
from simulator.answers.captions import Captions, is_picture
from simulator.providers.chat import chat_reply
from simulator.providers.embeddings import feature_extraction_reply
from simulator.providers.refusals import Refusal, error_reply
from simulator.providers.served import models_of
from simulator.providers.wire import HUGGING_FACE, ProviderReply, ProviderRequest, RequestRefused, json_reply

NSFW_MODEL = "Falconsai/nsfw_image_detection"
#: Served, though no task type names them.
MORE_CHAT_MODELS = frozenset(
    {
        "google/gemma-3-12b-it",
        "Qwen/Qwen2.5-VL-32B-Instruct",
        "Qwen/Qwen2.5-VL-72B-Instruct",
        "Qwen/Qwen3-VL-8B-Instruct",
        "Qwen/Qwen3-VL-30B-A3B-Instruct",
    }
)
EMBEDDING_MODELS = frozenset(
    {
        "BAAI/bge-m3",
        "BAAI/bge-small-en-v1.5",
        "Qwen/Qwen3-Embedding-8B",
        "google/embeddinggemma-300m",
        "intfloat/multilingual-e5-large",
        "sentence-transformers/all-MiniLM-L6-v2",
    }
)
USUAL_TOP_K = 5


class HuggingFaceModels:
    """Hugging Face's router, as far as this project calls it."""

    def __init__(self, captions: Captions) -> None:
        """Take what describes pictures."""
        self._captions = captions
        self._classifiers = models_of(HUGGING_FACE, ImageClassification)
        self.chat_models = models_of(HUGGING_FACE, ChatCompletion) | MORE_CHAT_MODELS

    def classify(self, asked: ProviderRequest) -> ProviderReply:
        """Return the labels of a picture, best first; RequestRefused as the real one would refuse."""
        _check_key(asked)
        if asked.model not in self._classifiers:
            raise _refused(asked, 404, f"Model {asked.model} does not exist or is not supported", "model_not_found")
        picture, top_k = _picture_and_count(asked)
        if not is_picture(picture):
            raise _refused(asked, 400, "cannot identify image file")
        labels = self._captions.classify(picture, nsfw=asked.model == NSFW_MODEL)
        return json_reply(200, [{"label": label, "score": score} for label, score in labels[:top_k]])

    def chat(self, asked: ProviderRequest) -> ProviderReply:
        """Return a chat completion, a caption where a picture was sent; RequestRefused as the real one would refuse."""
        _check_key(asked)
        _check_document(asked)
        if asked.model not in self.chat_models:
            raise _refused(asked, 404, f"The requested model '{asked.model}' does not exist", "model_not_found")
        return chat_reply(asked, self._captions)

    def embed(self, asked: ProviderRequest) -> ProviderReply:
        """Return vectors; RequestRefused as the real one would refuse."""
        _check_key(asked)
        _check_document(asked)
        if asked.model not in EMBEDDING_MODELS:
            raise _refused(asked, 404, f"Model {asked.model} does not exist or is not supported", "model_not_found")
        return feature_extraction_reply(asked)


def _check_key(asked: ProviderRequest) -> None:
    if not asked.has_key:
        raise _refused(asked, 401, "Invalid username or password.", "unauthorized")


def _check_document(asked: ProviderRequest) -> None:
    if asked.document is None:
        raise _refused(asked, 400, "The request body is no JSON object")


def _picture_and_count(asked: ProviderRequest) -> tuple[bytes, int]:
    if asked.content_type.startswith("image/"):
        return asked.body, USUAL_TOP_K
    if asked.content_type != "application/json":
        raise _refused(asked, 400, f'Content type "{asked.content_type}" not supported')
    order = asked.document or {}
    parameters = order.get("parameters") or {}
    top_k = parameters.get("top_k", USUAL_TOP_K) if isinstance(parameters, dict) else None
    if type(top_k) is not int or top_k < 1:
        raise _refused(asked, 400, f"top_k must be a whole number above 0, not {json.dumps(top_k)}")
    try:
        return base64.b64decode(order.get("inputs", ""), validate=True), top_k
    except (binascii.Error, TypeError, ValueError) as error:
        raise _refused(asked, 400, "inputs must be a picture in base64") from error


def _refused(asked: ProviderRequest, status: int, message: str, code: str | None = None) -> RequestRefused:
    return RequestRefused(error_reply(asked, Refusal(status, message, code=code)))
