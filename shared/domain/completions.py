"""Chat completions that clients of OpenAI's API ask for: the models that may be named, and the job's task type."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from shared.config import Settings
from shared.domain.catalogue import Catalogue, Offer, make_catalogue
from shared.domain.task_type import ChatCompletion, Example, PassedOn, TaskType

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
    example=Example(
        input="What is the capital of Portugal?", options={}, answer="Lisbon.", result={"completion": {"choices": []}}
    ),
)
"""Its requests come to `/v1/chat/completions`; `predict` does not serve it."""


@dataclass(frozen=True, slots=True)
class CompletionModels:
    """The chat models of this installation. `offers`: by `provider/model`, in the order of lists."""

    offers: Mapping[str, Offer]

    def find(self, name: str) -> Offer | None:
        """Return the offer of a model, named as `provider/model` or by the model alone; None if there is none.

        Where several providers serve a model, its name alone means the first one's.
        """
        found = self.offers.get(name)
        return found or next((offer for offer in self.offers.values() if offer.model == name), None)


def completion_models(catalogue: Catalogue) -> CompletionModels:
    """Return every model that answers a chat completion for some task type."""
    offers: dict[str, Offer] = {}
    for each in catalogue.values():
        if isinstance(each.task_type.work, ChatCompletion):
            task_type = replace(CHAT_COMPLETION, queue=each.task_type.queue)
            for model, serving in each.servings.items():
                offers.setdefault(f"{serving.vendor}/{model}", Offer(task_type, model, (), {model: serving}))
    return CompletionModels(offers)


def make_offers(settings: Settings) -> Catalogue:
    """Return the offers of every task type that a job may have: those of `predict`, and all chat completions."""
    tasks = make_catalogue(settings)
    offers = completion_models(tasks).offers.values()
    servings = {model: serving for offer in offers for model, serving in offer.servings.items()}
    return {**tasks, CHAT_COMPLETION.name: Offer(CHAT_COMPLETION, next(iter(servings)), (), servings)}


def of_tasks(offers: Catalogue) -> Catalogue:
    """Return those of them that `predict` serves."""
    return {name: offer for name, offer in offers.items() if name != CHAT_COMPLETION.name}
