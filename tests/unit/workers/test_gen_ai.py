"""The one place for the names of OpenTelemetry's conventions for generative AI."""

import pytest

from shared.domain.answer import Usage
from shared.domain.completions import CHAT_COMPLETION
from shared.domain.registry import TASK_TYPES
from shared.domain.request import TextInput
from shared.domain.routes import Route
from shared.domain.task_type import TaskType
from workers.gen_ai import of_call, of_usage, span_name
from workers.providers.base import ModelCall

SECRET = "what only the client knows"
ROUTE = Route("groq", "openai/gpt-oss-20b")


def call(task_type: TaskType, **options: object) -> ModelCall:
    return ModelCall(task_type, ROUTE.model, options, TextInput(SECRET))


def the(name: str) -> TaskType:
    return next(each for each in TASK_TYPES if each.name == name)


@pytest.mark.parametrize(
    ("task_type", "name"),
    [
        (the("chat"), "chat openai/gpt-oss-20b"),
        (CHAT_COMPLETION, "chat openai/gpt-oss-20b"),
        (the("image_classification"), "image_classification openai/gpt-oss-20b"),
    ],
    ids=lambda each: getattr(each, "name", each),
)
def test_a_span_is_called_by_operation_and_model(task_type: TaskType, name: str) -> None:
    assert span_name(of_call(call(task_type), ROUTE)) == name


def test_a_call_names_provider_model_and_the_numbers_among_its_options() -> None:
    asked = call(the("chat"), temperature=0.7, max_tokens=100, system=SECRET, history=[{"content": SECRET}])
    assert of_call(asked, ROUTE) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "groq",
        "gen_ai.request.model": "openai/gpt-oss-20b",
        "gen_ai.request.temperature": 0.7,
        "gen_ai.request.max_tokens": 100,
    }


@pytest.mark.parametrize("task_type", TASK_TYPES, ids=lambda each: each.name)
def test_no_option_of_a_client_is_an_attribute_unless_it_is_a_number(task_type: TaskType) -> None:
    options = {option.name: SECRET for option in task_type.options}
    assert SECRET not in str(of_call(call(task_type, **options), ROUTE))


def test_tokens_that_a_provider_did_not_count_are_left_out() -> None:
    assert of_usage(Usage(prompt_tokens=3, completion_tokens=0)) == {
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 0,
    }
