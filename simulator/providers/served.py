"""The models that the simulator serves."""

from shared.domain.providers import BUILT_IN
from shared.domain.registry import TASK_TYPES
from shared.domain.task_type import ChatCompletion, ImageClassification


def models_of(kind: str, work: type[ChatCompletion | ImageClassification]) -> frozenset[str]:
    """Return the models of providers of this kind that do this kind of work for a task type."""
    of_tasks = (model for each in TASK_TYPES if isinstance(each.work, work) for model in each.models)
    return frozenset(model.name for model in of_tasks if BUILT_IN[model.provider].kind == kind)
