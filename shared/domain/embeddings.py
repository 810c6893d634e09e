"""Embeddings that clients of OpenAI's API ask for: the models that may be named, and the job's task type."""

from collections.abc import Iterator
from dataclasses import replace

from shared.config import Settings
from shared.domain.catalogue import Offer, serving_of
from shared.domain.named_models import NamedModels
from shared.domain.providers import Provider
from shared.domain.registry import TASK_TYPES, check_served
from shared.domain.task_type import Embedding, Example, Model, Queue, TaskType
from shared.errors import ConfigurationError

EMBEDDING = TaskType(
    name="embedding",
    place=0,
    about="Turn texts into vectors.",
    queue="text",
    input="texts",
    options=(),
    models=(),
    work=Embedding(version=1),
    result={
        "type": "object",
        "properties": {
            "count": {"type": "integer"},
            "dimensions": {"type": "integer"},
            "embeddings": {
                "type": ["array", "null"],
                "items": {"type": "string"},
                "description": "Vectors of little-endian 32-bit floats in base64; null if they are many.",
            },
        },
        "required": ["count", "embeddings"],
    },
    essence=None,
    example=Example(
        input="What is the capital of Portugal?", options={}, answer=[0.6, 0.8], result={"count": 1, "embeddings": None}
    ),
)
"""Its requests come to `/v1/embeddings`; `predict` does not serve it."""


def embedding_models(settings: Settings) -> NamedModels:
    """Return every embedding model that EMBEDDING_MODELS or PROVIDERS_FILE names.

    Raises ConfigurationError for one that can't be served.
    """
    offers: dict[str, Offer] = {}
    for model in _models(settings):
        check_served(EMBEDDING, model, settings.providers)
        queue = _queue(settings.providers[model.provider])
        offer = Offer(replace(EMBEDDING, queue=queue), model.name, (), {model.name: serving_of(model, queue, settings)})
        offers.setdefault(f"{model.provider}/{model.name}", offer)
    return NamedModels(offers)


def _models(settings: Settings) -> Iterator[Model]:
    for text in settings.embedding_models:
        provider, colon, name = text.partition(":")
        if not colon or not name or provider not in settings.providers:
            message = f"EMBEDDING_MODELS: {text!r} must be provider:model, of one of {', '.join(settings.providers)}"
            raise ConfigurationError(message)
        yield Model(provider, name)
    for each in settings.providers.values():
        yield from (Model(each.name, name) for name in each.embedding_models)


def _queue(provider: Provider) -> Queue:
    """Return the queue whose workers have the provider's key: of a built-in one, that of the tasks that it serves."""
    if not provider.is_built_in:
        return provider.queue
    served = (each.queue for each in TASK_TYPES if each.models[0].provider == provider.name)
    return next(served, provider.queue)
