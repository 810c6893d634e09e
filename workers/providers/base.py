"""The protocol of providers: each answers one call, or raises one of our errors."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from shared.domain.answer import Usage
from shared.domain.conversation import Conversation
from shared.domain.embedding_input import EmbeddingInput
from shared.domain.reading import Reading, UnusableAnswer
from shared.domain.request import Picture, TextInput
from shared.domain.task_type import ChatCompletion, Message, TaskType
from shared.jobs.errors import BadAnswer
from workers.providers.call_limits import CallLimits


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One question to a provider. `options`: every option of the task type; one that is not set is None."""

    task_type: TaskType
    model: str
    options: Mapping[str, Any]
    input: TextInput | Picture | Conversation | EmbeddingInput

    @property
    def text(self) -> str:
        """The client's text; empty for a picture."""
        return "" if isinstance(self.input, Picture) else self.input.text

    def messages(self, chat: ChatCompletion) -> list[Message]:
        """Return the conversation that asks this question; it contains a picture as a data URL."""
        if not isinstance(self.input, Picture):
            return chat.messages(self.options, self.input.text)
        encoded = base64.b64encode(self.input.content).decode("ascii")
        return chat.messages(self.options, f"data:{self.input.media_type};base64,{encoded}")


@dataclass(frozen=True, slots=True)
class Completion:
    """A usable answer of a provider.

    `result`: in the shape of the task type. `cacheable`: False for a reply that was truncated because the client asked
    for it. `pause`: for how many seconds the provider will refuse further calls, None if it did not say so.
    """

    result: Mapping[str, Any]
    usage: Usage
    cacheable: bool = True
    pause: float | None = None


def completed(read: Callable[[], Reading], usage: Usage, pause: float | None) -> Completion:
    """Return the completion with the result that `read` returns; raise BadAnswer, with the usage, if it is unusable."""
    try:
        reading = read()
    except UnusableAnswer as err:
        bad = BadAnswer(str(err))
        bad.usage = usage
        raise bad from err
    return Completion(reading.result, usage, reading.cacheable, pause)


OnChunk = Callable[[Mapping[str, Any]], None]
"""Takes a chunk of a streamed completion, in OpenAI's shape, and returns at once. It is called in any thread."""


class Provider(Protocol):
    """A provider's API. The module of each kind has a function `open_provider`, an `OpenProvider`."""

    def answer(self, call: ModelCall) -> Completion:
        """Ask once, without retrying, within the provider timeout by the wall clock; return the answer.

        Raises a ProviderError for every failure: BadAnswer for an empty, truncated or malformed answer. Safe to call
        from many threads.
        """

    def stream(self, call: ModelCall, on_chunk: OnChunk) -> Completion:
        """Ask as `answer` does, and hand the answer on in chunks as it comes; for calls whose work is passed on.

        After an error chunks that were handed on are worth nothing. One more may come until a moment after this raises.
        """

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""


OpenProvider = Callable[[str, str, CallLimits, str], Provider]
"""Returns a provider. It takes an API key, a base URL, the limits of a call, and the provider's name in messages. It
opens no connection yet."""
