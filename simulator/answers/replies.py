"""What a chat model says: chooses the task by the schema that is asked for, and writes the content."""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from shared.domain.registry import TASK_TYPES
from shared.domain.task_type import ChatCompletion, Shape, TaskType
from simulator.answers import text_answers
from simulator.answers.captions import Captions
from simulator.answers.schema_instances import instance
from simulator.answers.sentiment import judge
from simulator.providers.conversation import Conversation

Answer = Mapping[str, object]

#: A task type -> what makes its answer of the question. Other task types have the answer of their example.
SKILLS: Mapping[str, Callable[[Conversation], Answer]] = MappingProxyType(
    {
        "summarization": text_answers.summarize,
        "sentiment": lambda asked: judge(asked.text),
        "translation": text_answers.translate,
    }
)


def content_of(asked: Conversation, response_format: dict[str, Any], captions: Captions) -> str:
    """Return the text of the answer; JSON that fits the schema where one is asked for."""
    answer: object
    match response_format.get("type"):
        case "json_schema":
            requested = response_format["json_schema"]
            answer = _structured(asked, requested["name"], requested["schema"])
        case "json_object":
            answer = _task_answer(asked, _named(asked.instructions)) or {"answer": _plain(asked, captions)}
        case _:
            return _plain(asked, captions)
    return json.dumps(answer, ensure_ascii=False)


def _plain(asked: Conversation, captions: Captions) -> str:
    if asked.tool_results is not None:
        return text_answers.tell(asked.tool_results)
    if asked.picture is None:
        return text_answers.chat(asked)
    return captions.describe(asked.picture, text_answers.word_bound(asked.everything))


def _shapes() -> Mapping[str, tuple[Shape, TaskType]]:
    """Return the schema of each task type that has one, and the task type, by the schema's name."""
    shapes = [(each.work.shape, each) for each in TASK_TYPES if isinstance(each.work, ChatCompletion)]
    return {shape.name: (shape, task_type) for shape, task_type in shapes if shape}


def _named(instructions: str) -> str:
    """Return the name of the schema whose members the instructions all name, for models that get no schema."""
    found = [
        name
        for name, (shape, _) in _shapes().items()
        if all(f'"{member}"' in instructions for member in shape.properties)
    ]
    return found[0] if found else ""


def _task_answer(asked: Conversation, name: str) -> Answer:
    """Return the answer of the task type whose schema has this name, nothing without one."""
    if name not in _shapes():
        return {}
    task_type = _shapes()[name][1]
    skill = SKILLS.get(task_type.name)
    answer: Answer = skill(asked) if skill else task_type.example.answer
    return answer


def _structured(asked: Conversation, name: str, schema: dict[str, Any]) -> object:
    made_up = instance(schema)
    if not isinstance(made_up, dict):
        return made_up
    wanted = schema.get("properties", {})
    known = _task_answer(asked, name)
    return {**made_up, **{member: value for member, value in known.items() if member in wanted}}
