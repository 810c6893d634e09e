"""A plain OpenAI-compatible server, such as vLLM: it serves any model, and needs no key."""

from simulator.answers.captions import Captions
from simulator.providers.chat import chat_reply
from simulator.providers.embeddings import embeddings_reply
from simulator.providers.refusals import Refusal, error_reply
from simulator.providers.wire import ProviderReply, ProviderRequest, RequestRefused

#: What the list of models shows; any other is served too, by both.
LISTED_MODELS = frozenset({"simulated-chat", "simulated-embedding"})


class OpenAIModels:
    """A server of the kind `openai`."""

    def __init__(self, captions: Captions) -> None:
        """Take what describes pictures."""
        self._captions = captions

    def chat(self, asked: ProviderRequest) -> ProviderReply:
        """Return a chat completion; RequestRefused as a real server would refuse."""
        _check(asked)
        return chat_reply(asked, self._captions)

    def embed(self, asked: ProviderRequest) -> ProviderReply:
        """Return embeddings; RequestRefused as a real server would refuse."""
        _check(asked)
        return embeddings_reply(asked)


def _check(asked: ProviderRequest) -> None:
    if asked.document is None:
        raise RequestRefused(error_reply(asked, Refusal(400, "The request body is no JSON object")))
    if not asked.model:
        raise RequestRefused(error_reply(asked, Refusal(400, "you must provide a model parameter", param="model")))
