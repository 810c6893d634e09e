"""What this installation offers: for the task types of `predict`, and for those of clients of OpenAI's API."""

from shared.config import Settings
from shared.domain.catalogue import Catalogue, Offer, make_catalogue
from shared.domain.completions import CHAT_COMPLETION, completion_models
from shared.domain.embeddings import EMBEDDING, embedding_models
from shared.domain.named_models import NamedModels
from shared.domain.registry import TASK_TYPES
from shared.domain.task_type import TaskType

COMPATIBLE = (CHAT_COMPLETION, EMBEDDING)
"""The task types that `predict` does not serve."""

TASK_TYPE_NAMES = tuple(each.name for each in (*TASK_TYPES, *COMPATIBLE))
"""The names of all task types that a job may have."""


def make_offers(settings: Settings) -> Catalogue:
    """Return the offers of every task type that a job may have."""
    tasks = make_catalogue(settings)
    completions, embeddings = completion_models(tasks, settings), embedding_models(settings)
    return {
        **tasks,
        CHAT_COMPLETION.name: _offer_of_all(CHAT_COMPLETION, completions),
        EMBEDDING.name: _offer_of_all(EMBEDDING, embeddings),
    }


def of_tasks(offers: Catalogue) -> Catalogue:
    """Return those of them that `predict` serves."""
    others = {each.name for each in COMPATIBLE}
    return {name: offer for name, offer in offers.items() if name not in others}


def _offer_of_all(task_type: TaskType, models: NamedModels) -> Offer:
    servings = {model: serving for offer in models.offers.values() for model, serving in offer.servings.items()}
    return Offer(task_type, next(iter(servings)), (), servings)
