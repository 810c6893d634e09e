"""The parts of a task type. None has a default, so that a task type without one of them fails at import."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shared.domain.essence import EssenceOf
from shared.domain.options import History, Option, Text
from shared.domain.reading import ChatReply, Reading

Options = Mapping[str, Any]
Message = Mapping[str, Any]
Queue = Literal["text", "image"]


@dataclass(frozen=True, slots=True)
class Model:
    """The name of a model, and that of the provider which serves it."""

    provider: str
    name: str


@dataclass(frozen=True, slots=True)
class Shape:
    """The JSON object that a model must answer with. `properties`: each as JSON Schema."""

    name: str
    properties: Mapping[str, Any]

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the object, as providers require it in strict mode."""
        return {
            "type": "object",
            "properties": dict(self.properties),
            "required": list(self.properties),
            "additionalProperties": False,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatCompletion:
    """Work for a chat model.

    `version`: part of every cache key; raise it with every change to `messages`, `shape` or `read`. `messages`: takes
    the options and the input, which for a picture is a data URL, and returns the conversation. `shape`: None for free
    text. `tokens`: returns how many the answer may have, without hidden reasoning. `read`: returns the result of a
    reply; raises UnusableAnswer.
    """

    version: int
    messages: Callable[[Options, str], list[Message]]
    shape: Shape | None
    tokens: Callable[[Options, str], int]
    temperature: Callable[[Options], float]
    read: Callable[[Options, ChatReply], Reading]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageClassification:
    """Work for a classifier of pictures, which has no prompt.

    `version`: part of every cache key. `labels`: returns how many to ask for. `read`: takes the parsed JSON, and
    returns the result; raises UnusableAnswer.
    """

    version: int
    labels: Callable[[Options], int]
    read: Callable[[Options, object], Reading]


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOn:
    """Work whose question and answer are passed on as they are: a `Conversation`, and the provider's own document.

    `version`: part of every cache key.
    """

    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding:
    """Work for an embedding model: a vector for each text.

    `version`: part of every cache key.
    """

    version: int


Work = ChatCompletion | ImageClassification | PassedOn | Embedding


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """An example for documents, tests and the simulator.

    `input` and `options`: as in predict's body. `answer`: the model's, as text or as parsed JSON. `result`: what is
    read from that answer.
    """

    input: str
    options: Options
    answer: Any
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskType:
    """One kind of work: its input, its models, and its result.

    `place`: its position in lists, from 1; 0 if it is in none. `models`: the first one answers unless a setting names
    another. `result`: the JSON Schema of the result. `essence`: returns what counts when two results are compared; None
    if they are not compared.
    """

    name: str
    place: int
    about: str
    queue: Queue
    input: Literal["text", "picture", "conversation", "texts"]
    options: tuple[Option, ...]
    models: tuple[Model, ...]
    work: Work
    result: Mapping[str, Any]
    essence: EssenceOf | None
    example: Example

    @property
    def prompt_version(self) -> int:
        """The version of the prompt, which is part of every cache key."""
        return self.work.version

    @property
    def takes_picture(self) -> bool:
        """Whether the input is a picture (a URL, a data URL or an upload) rather than text."""
        return self.input == "picture"

    @property
    def long_texts(self) -> int:
        """How many texts of one request may have MAX_INPUT_CHARS characters: a text input, and options of free text."""
        return (not self.takes_picture) + sum(option.kind in (Text(), History()) for option in self.options)

    def options_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the options; it refuses unknown ones."""
        return {
            "type": "object",
            "properties": {option.name: option.json_schema() for option in self.options},
            "required": [option.name for option in self.options if option.required],
            "additionalProperties": False,
        }


def result_schema(**properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of an object that must have all these properties."""
    return {"type": "object", "properties": properties, "required": list(properties)}
