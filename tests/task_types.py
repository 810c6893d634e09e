"""The task types by name, and their options as a request has them."""

from typing import Any

from shared.domain.options import History, Integer, Text
from shared.domain.registry import TASK_TYPES
from shared.domain.request import Picture, TextInput
from shared.domain.task_type import TaskType
from workers.providers.base import ModelCall

NAMED = {task_type.name: task_type for task_type in TASK_TYPES}


def resolved(task_type: TaskType, **options: Any) -> dict[str, Any]:
    """Return every option: the given ones, the defaults of the others."""
    return {option.name: options.get(option.name, option.default) for option in task_type.options}


def model_call(name: str, model: str, given: TextInput | Picture, **options: Any) -> ModelCall:
    """Return a call of a task type with every option."""
    return ModelCall(NAMED[name], model, resolved(NAMED[name], **options), given)


def specimens(task_type: TaskType) -> list[dict[str, Any]]:
    """Return the options twice, with the optional ones unset and with all of them set, each to what its kind says."""
    full = {}
    bare = {}
    for option in task_type.options:
        match option.kind:
            case Text():
                value: Any = option.name.split("_")[0].upper()
            case History():
                value = [{"role": "user", "content": "TURN"}]
            case Integer(maximum=maximum):
                value = min(77, maximum)
            case _:
                value = option.default
        full[option.name] = value
        bare[option.name] = value if option.required or option.default is not None else None
    return [bare, full]
