"""What every provider does: answer one call, or raise one of our errors."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from shared.domain.answer import Usage
from shared.domain.reading import Reading, UnusableAnswer
from shared.domain.request import Picture, TextInput
from shared.domain.task_type import ChatCompletion, Message, TaskType
from shared.jobs.errors import BadAnswer

MAX_ANSWER_BYTES = 10_000_000
"""What is read of a provider's answer, an error as well."""


def too_large() -> BadAnswer:
    """Return the error for a longer answer."""
    return BadAnswer(f"The answer has more than {MAX_ANSWER_BYTES} bytes.")


@dataclass(frozen=True, slots=True)
class ModelCall:
    """One question to a provider; every option of the task type is present, unset ones are None."""

    task_type: TaskType
    model: str
    options: Mapping[str, Any]
    input: TextInput | Picture

    @property
    def text(self) -> str:
        """The client's text; empty for a picture."""
        return self.input.text if isinstance(self.input, TextInput) else ""

    def messages(self, chat: ChatCompletion) -> list[Message]:
        """Return the conversation that asks it; a picture travels inside as a data URL."""
        if isinstance(self.input, TextInput):
            return chat.messages(self.options, self.input.text)
        encoded = base64.b64encode(self.input.content).decode("ascii")
        return chat.messages(self.options, f"data:{self.input.media_type};base64,{encoded}")


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer: `result` has the task type's shape. `cacheable` is False for a reply cut as the client asked.

    `pause`: seconds for which the provider would refuse further calls, if it said so.
    """

    result: Mapping[str, Any]
    usage: Usage
    cacheable: bool = True
    pause: float | None = None


def completed(read: Callable[[], Reading], usage: Usage, pause: float | None) -> Completion:
    """Return the completion that `read` makes of an answer; raise BadAnswer, with its usage, if it is unusable."""
    try:
        reading = read()
    except UnusableAnswer as err:
        bad = BadAnswer(str(err))
        bad.usage = usage
        raise bad from err
    return Completion(reading.result, usage, reading.cacheable, pause)


class Provider(Protocol):
    """A vendor's API behind one method. A module for each kind has `open_provider`, as `OpenProvider` says."""

    def answer(self, call: ModelCall) -> Completion:
        """Ask once, without retrying, within the provider timeout by the wall clock.

        Raises a ProviderError for whatever goes wrong, `bad_answer` for an empty, truncated or misshapen answer.
        Safe to call from many threads.
        """

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""


OpenProvider = Callable[[str, str, float, str], Provider]
"""Of an API key, a base URL, the seconds that a call may take, and the name in messages. It opens no connection yet."""
