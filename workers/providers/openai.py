"""Any API that speaks OpenAI's chat completions: OpenAI, Mistral, vLLM, Ollama and others; see docs/providers.md.

https://platform.openai.com/docs/api-reference/chat
"""

from typing import Any
from urllib.parse import urlsplit

from requests.adapters import BaseAdapter

from shared.domain.providers import OPENAI_HOST
from shared.domain.task_type import ChatCompletion, Embedding, PassedOn
from shared.jobs.errors import ProviderRejected
from workers.providers.base import Completion, ModelCall, OnChunk, OpenProvider
from workers.providers.call_limits import CallLimits
from workers.providers.compatible_http import REASONING_ALLOWANCE_TOKENS, CompatibleHttp
from workers.providers.embeddings import BYTES_PER_ITEM, embedded_input, openai_body, openai_embeddings
from workers.providers.passed_on import passed_on, wanted_body
from workers.providers.streaming import streamed_body

MISTRAL_HOST = "api.mistral.ai"

_WITHOUT_TEMPERATURE = ("o1", "o3", "o4", "gpt-5")
"""OpenAI's reasoning models, by the beginning of their names: they refuse any temperature but their own."""


class OpenAIProvider:
    """Asks chat models and embedding models."""

    def __init__(
        self, api_key: str, base_url: str, limits: CallLimits, title: str, adapter: BaseAdapter | None = None
    ) -> None:
        """`api_key`: empty for a provider that asks for none. `base_url`: what comes before /chat/completions.

        `title`: the provider's name in messages. `adapter`: replaces the network in tests.
        """
        self._http = CompatibleHttp(api_key, limits, title, adapter)
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._embeddings_url = f"{base_url.rstrip('/')}/embeddings"
        host = urlsplit(base_url).hostname
        self._is_openai, self._counts_unasked = host == OPENAI_HOST, host == MISTRAL_HOST
        self._title = title

    def answer(self, call: ModelCall) -> Completion:
        """Ask once, within the timeout; see `Provider.answer`."""
        match call.task_type.work:
            case ChatCompletion() as chat:
                return self._http.chat(self._url, call, chat, self._params(call, chat))
            case PassedOn():
                return passed_on(*self._http.post_json(self._url, wanted_body(call), call.text))
            case Embedding():
                asked, more = openai_body(call), BYTES_PER_ITEM * len(embedded_input(call).items)
                return openai_embeddings(call, *self._http.post_json(self._embeddings_url, asked, call.text, more))
        message = f"{self._title} has chat and embedding models only, and {call.task_type.name} is no work for them."
        raise ProviderRejected(message)

    def stream(self, call: ModelCall, on_chunk: OnChunk) -> Completion:
        """Ask once, within the timeout; see `Provider.stream`."""
        body = streamed_body(call)
        if self._counts_unasked:
            del body["stream_options"]
        return self._http.stream(self._url, body, call.text, on_chunk)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._http.close()

    def _params(self, call: ModelCall, chat: ChatCompletion) -> dict[str, Any]:
        limit = chat.tokens(call.options, call.text) + REASONING_ALLOWANCE_TOKENS
        temperature = chat.temperature(call.options)
        if not self._is_openai:
            # The name that all know: Mistral refuses the newer one, and Ollama ignores it.
            return {"max_tokens": limit, "temperature": temperature}
        fixed = call.model.startswith(_WITHOUT_TEMPERATURE)
        return {"max_completion_tokens": limit, **({} if fixed else {"temperature": temperature})}


open_provider: OpenProvider = OpenAIProvider
