"""What holds for each task type, whichever there are."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from types import SimpleNamespace
from typing import Any

import pytest
from examples import read

import celeryconfig
from shared.domain import registry
from shared.domain.reading import Reading, UnusableAnswer, storable
from shared.domain.registry import TASK_TYPES, find_task_types
from shared.domain.task_type import ChatCompletion, Example, ImageClassification, TaskType
from shared.errors import ConfigurationError
from shared.jobs.errors import BadAnswer
from tests.task_types import resolved, specimens
from workers.providers.chat_completion import parse_reply

each_task = pytest.mark.parametrize("task_type", TASK_TYPES, ids=lambda task_type: task_type.name)
FORMED = [task_type for task_type in TASK_TYPES if not isinstance(task_type.example.answer, str)]
HOSTILE = (
    *("", " ", "\n", "\x00", "a\x00b", "\ud800", "a\r\nSet-Cookie: b=c", "<script>alert(1)</script>", "x" * 1000),
    *(float("nan"), float("inf"), -0.0, -0.001, 0, 1, 0.5, 1.0001, 2, -1, 10**400, True, False, None, "0.5", "NaN"),
    *("positive", "Positive", "positive ", ["positive"], [], [None], [[]], ["a", 1], ["a"] * 50, {}, {"": ""}, [{}]),
)
"""What a member of an answer may be: some of it right, most of it not."""
JSON_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def reading_of(task_type: TaskType, said: object) -> Reading:
    """Read what a model said: a text, or something that is JSON."""
    options = resolved(task_type, **task_type.example.options)
    if isinstance(task_type.work, ImageClassification):
        return task_type.work.read(options, said)
    text = said if isinstance(said, str) else json.dumps(said)
    reply = parse_reply({"choices": [{"finish_reason": "stop", "message": {"content": text}}]})
    return task_type.work.read(options, reply)


def fits(value: object, schema: Mapping[str, Any]) -> bool:
    """Tell whether a value is as a JSON Schema says, in all its depth."""
    if not isinstance(value, JSON_TYPES[schema["type"]]) or value not in schema.get("enum", [value]):
        return False
    if schema["type"] == "number":
        return type(value) is float and schema["minimum"] <= value <= schema["maximum"]
    if isinstance(value, dict):
        known = schema["properties"]
        return set(schema["required"]) <= set(value) <= set(known) and all(
            fits(value[name], known[name]) for name in value
        )
    return not isinstance(value, list) or all(fits(item, schema["items"]) for item in value)


@each_task
def test_its_example_can_be_asked(task_type: TaskType) -> None:
    example = task_type.example
    asked = read({"task_type": task_type.name, "input": example.input, "options": dict(example.options)})
    assert asked.task_type == task_type.name


@each_task
def test_the_answer_of_its_example_is_read_as_the_result(task_type: TaskType) -> None:
    assert reading_of(task_type, task_type.example.answer) == Reading(task_type.example.result)


@each_task
def test_the_result_of_its_example_is_of_the_form_it_promises(task_type: TaskType) -> None:
    assert fits(task_type.example.result, task_type.result)


def texts(value: object) -> Iterator[str]:
    """Yield every text in a result."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts(each)


def twisted(answer: Any) -> Iterator[Any]:
    """Yield an answer with one part at a time replaced by each hostile value, itself first."""
    yield from HOSTILE
    for place in answer if isinstance(answer, dict) else range(len(answer)) if isinstance(answer, list) else ():
        for part in twisted(answer[place]):
            changed = answer.copy()
            changed[place] = part
            yield changed


@each_task
def test_whatever_a_model_says_is_refused_or_fits(task_type: TaskType) -> None:
    for said in twisted(task_type.example.answer):
        try:
            result = reading_of(task_type, said).result
        except (UnusableAnswer, BadAnswer):
            continue
        assert fits(result, task_type.result), said
        assert all(storable(text) for text in texts(result)), said


@each_task
def test_no_answer_is_a_bad_one(task_type: TaskType) -> None:
    with pytest.raises(UnusableAnswer):
        reading_of(task_type, "")


@pytest.mark.parametrize("task_type", FORMED, ids=lambda task_type: task_type.name)
@pytest.mark.parametrize("said", [{}, [], "\x00", {"unknown": 1}], ids=repr)
def test_an_answer_of_another_form_is_a_bad_one(task_type: TaskType, said: object) -> None:
    with pytest.raises((UnusableAnswer, BadAnswer)):
        reading_of(task_type, said)


@each_task
def test_its_answer_may_have_some_tokens_whatever_the_options(task_type: TaskType) -> None:
    if isinstance(task_type.work, ChatCompletion):
        assert all(task_type.work.tokens(options, "text") > 0 for options in specimens(task_type))


@each_task
def test_it_goes_to_a_queue_that_there_is(task_type: TaskType) -> None:
    assert task_type.queue in celeryconfig.QUEUE_NAMES


@pytest.mark.parametrize("kind", [TaskType, ChatCompletion, ImageClassification, Example])
def test_no_part_can_be_left_out(kind: type) -> None:
    parts = {field.name: None for field in fields(kind)}
    kind(**parts)
    for name in parts:
        with pytest.raises(TypeError, match=name):
            kind(**{part: value for part, value in parts.items() if part != name})


def with_modules(monkeypatch: pytest.MonkeyPatch, **task_types: object) -> None:
    """Let the folder of the task types hold modules of these names, each with its TASK_TYPE."""
    modules = {name: SimpleNamespace(name=name, TASK_TYPE=task_type) for name, task_type in task_types.items()}
    monkeypatch.setattr(registry, "iter_modules", lambda _: list(modules.values()))
    monkeypatch.setattr(registry, "import_module", lambda path: modules[path.rpartition(".")[2]])


def test_a_module_is_a_task_type(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = (replace(TASK_TYPES[0], name=name, place=place) for name, place in (("one", 2), ("two", 1)))
    with_modules(monkeypatch, one=one, two=two)
    assert find_task_types() == (two, one)


@pytest.mark.parametrize("task_type", [None, replace(TASK_TYPES[0], name="other")], ids=["none", "other"])
def test_a_module_without_a_task_type_of_its_name_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, task_type: object
) -> None:
    with_modules(monkeypatch, one=task_type)
    with pytest.raises(ConfigurationError, match=r"^one in shared/domain/task_types"):
        find_task_types()


def test_two_task_types_in_one_place_stop_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = (replace(TASK_TYPES[0], name=name, place=1) for name in ("one", "two"))
    with_modules(monkeypatch, one=one, two=two)
    with pytest.raises(ConfigurationError, match="one 1, two 1"):
        find_task_types()
