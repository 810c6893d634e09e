"""The six task types as data, and what this installation offers for each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shared.config import Settings
from shared.domain.options import History, Integer, Number, Option, Text

GROQ = "groq"
HUGGINGFACE = "huggingface"
SIMULATED = "simulated"

TEXT_MODELS = ("openai/gpt-oss-20b", "openai/gpt-oss-120b", "qwen/qwen3.8-27b")
LANGUAGE = Text(max_chars=100)


@dataclass(frozen=True, slots=True)
class TaskType:
    """One kind of work: what it takes, who does it, what comes back.

    `prompt_version` is part of every cache key: raise it with any change to the task's prompt.
    """

    name: str
    about: str
    queue: Literal["text", "image"]
    provider: str
    models: tuple[str, ...]
    options: tuple[Option, ...]
    result: Mapping[str, Any]
    prompt_version: int = 1

    @property
    def takes_picture(self) -> bool:
        """Whether the input is a picture (a URL, a data URL or an upload) rather than text."""
        return self.queue == "image"

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


def _object(**properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


_STRING = {"type": "string"}
_SCORE = {"type": "number", "minimum": 0, "maximum": 1}

TASK_TYPES: tuple[TaskType, ...] = (
    TaskType(
        name="summarization",
        about="Shorten a text to its essentials, in the text's own language.",
        queue="text",
        provider=GROQ,
        models=TEXT_MODELS,
        options=(Option("max_words", Integer(10, 1000), "Upper bound of the summary's length.", default=120),),
        result=_object(summary=_STRING),
    ),
    TaskType(
        name="sentiment",
        about="Say whether a text is positive, negative or neutral.",
        queue="text",
        provider=GROQ,
        models=TEXT_MODELS,
        options=(),
        result=_object(label={"type": "string", "enum": ["positive", "negative", "neutral"]}, score=_SCORE),
    ),
    TaskType(
        name="translation",
        about="Translate a text into another language.",
        queue="text",
        provider=GROQ,
        models=TEXT_MODELS,
        options=(
            Option("target_language", LANGUAGE, "Language to translate into, such as French.", required=True),
            Option("source_language", LANGUAGE, "Language of the input; found out when not given."),
        ),
        result=_object(translation=_STRING, source_language=_STRING, target_language=_STRING),
    ),
    TaskType(
        name="chat",
        about="Answer the next message of a conversation.",
        queue="text",
        provider=GROQ,
        models=TEXT_MODELS,
        options=(
            Option("system", Text(), "Instructions for the assistant."),
            Option("history", History(), "Earlier turns, oldest first."),
            Option("temperature", Number(0, 2), "0 is steady, 2 is wild.", default=0.7),
            Option("max_tokens", Integer(1, 8192), "Upper bound of the reply's tokens.", default=1024),
        ),
        result={
            **_object(reply=_STRING),
            "properties": {"reply": _STRING, "truncated": {"type": "boolean", "description": "Cut at max_tokens."}},
        },
    ),
    TaskType(
        name="image_classification",
        about="Name what a picture shows, most likely first.",
        queue="image",
        provider=HUGGINGFACE,
        models=("google/vit-base-patch16-224", "Falconsai/nsfw_image_detection"),
        options=(Option("top_k", Integer(1, 100), "How many labels.", default=5),),
        result=_object(labels={"type": "array", "items": _object(label=_STRING, score=_SCORE)}),
    ),
    TaskType(
        name="image_captioning",
        about="Describe a picture in words.",
        queue="image",
        provider=HUGGINGFACE,
        models=("google/gemma-3-27b-it", "zai-org/GLM-4.5V", "Qwen/Qwen2.5-VL-7B-Instruct"),
        options=(Option("max_words", Integer(5, 200), "Upper bound of the caption's length.", default=40),),
        result=_object(caption=_STRING),
    ),
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A task type as this installation serves it.

    `provider` is the one that answers, and so part of the cache key; where none is configured it is the
    task's real one, whose stored answers are still served, and `configured` is False.
    """

    task_type: TaskType
    provider: str
    configured: bool
    model: str
    fallback_model: str | None
    allowed_models: tuple[str, ...]


class Catalogue(Mapping[str, Offer]):
    """The offers by task type name."""

    def __init__(self, settings: Settings) -> None:
        """Resolve provider and models of every task type from the settings."""
        self._offers = {task_type.name: _offer(task_type, settings) for task_type in TASK_TYPES}

    def __getitem__(self, name: str) -> Offer:
        """Return the offer; KeyError for a name that is no task type."""
        return self._offers[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names in the catalogue's order."""
        return iter(self._offers)

    def __len__(self) -> int:
        """Count the task types."""
        return len(self._offers)


def _offer(task_type: TaskType, settings: Settings) -> Offer:
    provider = settings.text_provider if task_type.queue == "text" else settings.image_provider
    model = settings.models.get(task_type.name) or task_type.models[0]
    fallback = settings.fallback_models.get(task_type.name)
    allowed = settings.allowed_models.get(task_type.name) or task_type.models
    return Offer(
        task_type=task_type,
        provider=provider or task_type.provider,
        configured=provider is not None,
        model=model,
        fallback_model=fallback if fallback != model else None,
        allowed_models=tuple(dict.fromkeys((model, *allowed))),
    )
