"""Which models each provider serves here: those of the task types, which only so can be asked without a key."""

from shared.domain.registry import TASK_TYPES
from shared.domain.task_type import ChatCompletion, ImageClassification


def models_of(provider: str, work: type[ChatCompletion | ImageClassification]) -> frozenset[str]:
    """Return the models that do this kind of work for a task type."""
    of_tasks = (model for each in TASK_TYPES if isinstance(each.work, work) for model in each.models)
    return frozenset(model.name for model in of_tasks if model.provider == provider)
