"""The list of task types: one for each module of `task_types`."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pkgutil import iter_modules

from shared.domain import task_types
from shared.domain.providers import BUILT_IN, Provider
from shared.domain.task_type import ChatCompletion, Model, TaskType
from shared.errors import ConfigurationError


def find_task_types() -> tuple[TaskType, ...]:
    """Return all task types, ordered by `place`.

    Raises ConfigurationError for a module without a task type, for places that are not 1, 2, 3 and so on, and for a
    model that its provider can't serve.
    """
    found = sorted(_each(), key=lambda task_type: task_type.place)
    places = [task_type.place for task_type in found]
    if places != list(range(1, len(found) + 1)):
        named = ", ".join(f"{task_type.name} {task_type.place}" for task_type in found)
        message = f"The places of the task types must be 1, 2, 3 and so on: {named}"
        raise ConfigurationError(message)
    for task_type in found:
        for model in task_type.models:
            check_served(task_type, model, BUILT_IN)
    return tuple(found)


def check_served(task_type: TaskType, model: Model, providers: Mapping[str, Provider]) -> None:
    """Raise ConfigurationError unless the model's provider exists and can do this kind of work."""
    provider = providers.get(model.provider)
    if provider is None or not isinstance(task_type.work, provider.works):
        message = f"{task_type.name}: {model.name} can't be asked of {model.provider}"
        raise ConfigurationError(message)


def _each() -> Iterator[TaskType]:
    for module in iter_modules(task_types.__path__):
        task_type = getattr(import_module(f"{task_types.__name__}.{module.name}"), "TASK_TYPE", None)
        if not isinstance(task_type, TaskType) or task_type.name != module.name:
            message = f"{module.name} in shared/domain/task_types has no TASK_TYPE of its name"
            raise ConfigurationError(message)
        yield task_type


TASK_TYPES = find_task_types()


def chat_models(provider: str) -> tuple[str, ...]:
    """Return the chat models of a provider that any task type may use, each once."""
    chats = (each for each in TASK_TYPES if isinstance(each.work, ChatCompletion))
    return tuple(dict.fromkeys(model.name for each in chats for model in each.models if model.provider == provider))
