"""What a task type consists of. No part has a default: a type without one of them does not start."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shared.domain.options import History, Option, Text
from shared.domain.reading import ChatReply, Reading

Options = Mapping[str, Any]
Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Model:
    """A model, and the name of the provider that serves it."""

    provider: str
    name: str


@dataclass(frozen=True, slots=True)
class Shape:
    """The JSON object that a model has to answer with: a name for it, and its properties as JSON Schema."""

    name: str
    properties: Mapping[str, Any]

    def json_schema(self) -> dict[str, Any]:
        """Describe the object so that strict mode takes it."""
        return {
            "type": "object",
            "properties": dict(self.properties),
            "required": list(self.properties),
            "additionalProperties": False,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatCompletion:
    """A chat model does the work.

    `version` is part of every cache key: raise it with any change to `messages` or `shape`. `messages` makes the
    conversation of the options and the input, which for a picture is its data URL. `shape` is None for free text.
    `tokens`: how many the answer may have, hidden reasoning aside. `read` raises UnusableAnswer.
    """

    version: int
    messages: Callable[[Options, str], list[Message]]
    shape: Shape | None
    tokens: Callable[[Options, str], int]
    temperature: Callable[[Options], float]
    read: Callable[[Options, ChatReply], Reading]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageClassification:
    """A classifier of pictures does the work: it has no prompt.

    `version` is part of every cache key. `labels`: how many are asked for. `read` takes the parsed JSON and raises
    UnusableAnswer.
    """

    version: int
    labels: Callable[[Options], int]
    read: Callable[[Options, object], Reading]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A question as in predict's body, what the model says to it (text, or the parsed JSON), and the result of that."""

    input: str
    options: Options
    answer: Any
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskType:
    """One kind of work: what it takes, who does it and how, what comes back.

    `place`: where it stands in lists, from 1. The first of `models` answers unless a setting names another.
    `result` is the result's JSON Schema.
    """

    name: str
    place: int
    about: str
    queue: Literal["text", "image"]
    input: Literal["text", "picture"]
    options: tuple[Option, ...]
    models: tuple[Model, ...]
    work: ChatCompletion | ImageClassification
    result: Mapping[str, Any]
    example: Example

    @property
    def prompt_version(self) -> int:
        """Part of every cache key."""
        return self.work.version

    @property
    def takes_picture(self) -> bool:
        """Whether the input is a picture (a URL, a data URL or an upload) rather than text."""
        return self.input == "picture"

    @property
    def long_texts(self) -> int:
        """How many texts of one request may have MAX_INPUT_CHARS characters: the input, and free options."""
        return (not self.takes_picture) + sum(option.kind in (Text(), History()) for option in self.options)

    def options_schema(self) -> dict[str, Any]:
        """Describe the options as JSON Schema; unknown ones are refused."""
        return {
            "type": "object",
            "properties": {option.name: option.json_schema() for option in self.options},
            "required": [option.name for option in self.options if option.required],
            "additionalProperties": False,
        }


def result_schema(**properties: Mapping[str, Any]) -> dict[str, Any]:
    """Describe an object that has all these properties as JSON Schema."""
    return {"type": "object", "properties": properties, "required": list(properties)}
