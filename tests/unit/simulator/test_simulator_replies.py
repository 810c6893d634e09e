import json

import pytest

from shared.domain.registry import TASK_TYPES
from shared.domain.request import TextInput
from shared.domain.task_type import ChatCompletion, TaskType
from simulator.answers.captions import Captions
from simulator.answers.replies import SKILLS, content_of
from simulator.providers.conversation import read_conversation
from tests.task_types import NAMED, model_call

FORMED = [each for each in TASK_TYPES if isinstance(each.work, ChatCompletion) and each.work.shape]


@pytest.mark.parametrize("task_type", FORMED, ids=lambda task_type: task_type.name)
def test_every_task_type_with_a_schema_is_answered_with_all_its_members(task_type: TaskType) -> None:
    assert isinstance(task_type.work, ChatCompletion)
    shape, example = task_type.work.shape, task_type.example
    assert shape is not None
    call = model_call(task_type.name, "any", TextInput(example.input), **example.options)
    wanted = {"type": "json_schema", "json_schema": {"name": shape.name, "schema": shape.json_schema()}}
    asked = read_conversation(call.messages(task_type.work))
    assert json.loads(content_of(asked, wanted, Captions({}))).keys() == shape.properties.keys()


def test_every_skill_is_that_of_a_task_type_and_gives_what_its_schema_names() -> None:
    asked = read_conversation([{"role": "user", "content": "A text. It is short."}])
    given = {name: skill(asked).keys() for name, skill in SKILLS.items()}
    assert given == {name: NAMED[name].work.shape.properties.keys() for name in SKILLS}  # type: ignore[union-attr]


@pytest.mark.parametrize("format_", ["json_object", "json_schema"])
def test_a_question_about_a_picture_that_no_task_type_asks_gets_no_answer_of_one(format_: str) -> None:
    content = [{"type": "image_url", "image_url": {"url": "https://example.org/cat.png"}}]
    schema = {"type": "object", "properties": {"caption": {"enum": ["made up"]}}, "required": ["caption"]}
    wanted = {"type": format_, "json_schema": {"name": "unknown", "schema": schema}}
    said = json.loads(content_of(read_conversation([{"role": "user", "content": content}]), wanted, Captions({})))
    assert said.get("caption", "made up") == "made up"
