"""What this installation offers for each task type."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.config import Settings
from shared.domain.registry import TASK_TYPES
from shared.domain.task_type import TaskType

GROQ = "groq"
HUGGINGFACE = "huggingface"
SIMULATED = "simulated"


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


Catalogue = Mapping[str, Offer]
"""The offers by the name of their task type, in the task types' order."""


def make_catalogue(settings: Settings) -> Catalogue:
    """Resolve provider and models of every task type from the settings."""
    return {task_type.name: _offer(task_type, settings) for task_type in TASK_TYPES}


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
