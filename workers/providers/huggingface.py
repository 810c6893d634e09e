"""Hugging Face's router, called through requests: chat models, embedding models, and classifiers of pictures.

https://huggingface.co/docs/inference-providers/tasks/image-classification and .../tasks/image-text-to-text
and .../tasks/feature-extraction
"""

import base64
from urllib.parse import quote

from requests.adapters import BaseAdapter

from shared.domain.answer import Usage
from shared.domain.request import Picture
from shared.domain.task_type import ChatCompletion, Embedding, ImageClassification, PassedOn
from shared.jobs.errors import ProviderRejected
from workers.providers.base import Completion, ModelCall, OnChunk, OpenProvider, completed
from workers.providers.call_limits import CallLimits
from workers.providers.compatible_http import REASONING_ALLOWANCE_TOKENS, CompatibleHttp
from workers.providers.embeddings import (
    BYTES_PER_ITEM,
    embedded_input,
    feature_extraction,
    feature_extraction_body,
)
from workers.providers.passed_on import passed_on, wanted_body
from workers.providers.streaming import streamed_body

VENDOR = "Hugging Face"

DEFAULT_TOP_K = 5
"""How many labels the endpoint returns unless asked for another number. A picture can be sent as plain bytes only
without that parameter."""

# Some of the routed servers refuse 0.
_LEAST_TEMPERATURE = 0.01


class HuggingFaceProvider:
    """Asks chat models, embedding models and classifiers."""

    def __init__(
        self,
        api_key: str,
        base_url: str,
        limits: CallLimits,
        title: str = VENDOR,
        adapter: BaseAdapter | None = None,
    ) -> None:
        """`base_url`: the router's; may end in /v1. `title`: the provider's name in messages.

        `adapter`: replaces the network in tests.
        """
        self._http = CompatibleHttp(api_key, limits, title, adapter)
        self._base_url = base_url.rstrip("/").removesuffix("/v1")
        self._chat_url = f"{self._base_url}/v1/chat/completions"
        self._title = title

    def answer(self, call: ModelCall) -> Completion:
        """Ask once, within the timeout; see `Provider.answer`."""
        match call.task_type.work:
            case ChatCompletion() as chat:
                return self._chat(call, chat)
            case ImageClassification() as classification:
                return self._classify(call, classification)
            case PassedOn():
                return passed_on(*self._http.post_json(self._chat_url, wanted_body(call), call.text))
            case Embedding():
                return self._embed(call)

    def stream(self, call: ModelCall, on_chunk: OnChunk) -> Completion:
        """Ask once, within the timeout; see `Provider.stream`."""
        return self._http.stream(self._chat_url, streamed_body(call), call.text, on_chunk)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._http.close()

    def _classify(self, call: ModelCall, classification: ImageClassification) -> Completion:
        picture, top_k = call.input, classification.labels(call.options)
        if not isinstance(picture, Picture):
            message = f"{self._title} classifies pictures only."
            raise ProviderRejected(message)
        url = f"{self._base_url}/hf-inference/models/{quote(call.model)}"
        if top_k == DEFAULT_TOP_K:
            body, pause = self._http.post(url, picture.content, picture.media_type)
        else:
            inputs = base64.b64encode(picture.content).decode("ascii")
            body, pause = self._http.post_json(url, {"inputs": inputs, "parameters": {"top_k": top_k}})
        return completed(lambda: classification.read(call.options, body), Usage(), pause)

    def _embed(self, call: ModelCall) -> Completion:
        asked, more = feature_extraction_body(call, self._title), BYTES_PER_ITEM * len(embedded_input(call).items)
        url = f"{self._base_url}/hf-inference/models/{quote(call.model)}/pipeline/feature-extraction"
        return feature_extraction(call, *self._http.post_json(url, asked, call.text, more))

    def _chat(self, call: ModelCall, chat: ChatCompletion) -> Completion:
        params = {
            "temperature": max(_LEAST_TEMPERATURE, chat.temperature(call.options)),
            "max_tokens": chat.tokens(call.options, call.text) + REASONING_ALLOWANCE_TOKENS,
        }
        return self._http.chat(self._chat_url, call, chat, params)


open_provider: OpenProvider = HuggingFaceProvider
