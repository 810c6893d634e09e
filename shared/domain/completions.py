"""Chat completions that clients of OpenAI's API ask for: the models that may be named, and the job's task type."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from shared.config import Settings
from shared.domain.catalogue import Catalogue, Offer, Serving, fallbacks_of, serving_of
from shared.domain.essence import essence_of_completion
from shared.domain.named_models import NamedModels
from shared.domain.task_type import ChatCompletion, Example, Model, PassedOn, Queue, TaskType

CHAT_COMPLETION = TaskType(
    name="chat_completion",
    place=0,
    about="Pass a chat completion on to its provider.",
    queue="text",
    input="conversation",
    options=(),
    models=(),
    work=PassedOn(version=1),
    result={"type": "object", "properties": {"completion": {"type": "object"}}, "required": ["completion"]},
    essence=essence_of_completion,
    example=Example(
        input="What is the capital of Portugal?", options={}, answer="Lisbon.", result={"completion": {"choices": []}}
    ),
)
"""Its requests come to `/v1/chat/completions`; `predict` does not serve it."""


def completion_models(catalogue: Catalogue, settings: Settings) -> NamedModels:
    """Return every chat model that a task type or a provider names, and the aliases."""
    offers: dict[str, Offer] = {}
    for each in catalogue.values():
        if isinstance(each.task_type.work, ChatCompletion):
            for model, serving in each.servings.items():
                queue = _queue(serving.vendor, each.task_type.queue, settings)
                offers.setdefault(f"{serving.vendor}/{model}", _offer(model, serving, queue))
    for provider in settings.providers.values():
        for name in provider.models:
            serving = serving_of(Model(provider.name, name), provider.queue, settings)
            offers.setdefault(f"{provider.name}/{name}", _offer(name, serving, provider.queue))
    aliases = {alias: _by_alias(models, offers, settings) for alias, models in settings.aliases.items()}
    return NamedModels(offers | aliases)


def _offer(model: str, serving: Serving, queue: Queue) -> Offer:
    return Offer(replace(CHAT_COMPLETION, queue=queue), model, (), {model: serving})


def _queue(vendor: str, of_task: Queue, settings: Settings) -> Queue:
    """Return the queue of a model's jobs: its provider's if the operator has named one, else that of its task."""
    provider = settings.providers[vendor]
    return of_task if provider.is_built_in else provider.queue


def _by_alias(models: Sequence[Model], offers: Mapping[str, Offer], settings: Settings) -> Offer:
    """Return the offer of the first of these models, in whose place the others answer. Its jobs are in its queue."""
    first, *others = models
    offer = offers[f"{first.provider}/{first.name}"]
    return replace(offer, fallbacks=fallbacks_of(others, offer.task_type.queue, settings))
