"""The examples of the OpenAPI document are what the real API answers: but for times, ids and the model's words."""

import json
from typing import Any

import pytest

from api.schemas.job_examples import USAGE, example_body
from shared.domain.registry import TASK_TYPES
from shared.domain.task_type import TaskType
from tests.integration.api_client import Api
from tests.integration.documented import without_numbers
from workers.providers.base import Completion

OF_TEXT = [each for each in TASK_TYPES if not each.takes_picture]


def examples(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = api.get("/openapi.json").json["components"]["examples"]
    return {name: example["value"] for name, example in found.items()}


@pytest.mark.parametrize("task_type", TASK_TYPES, ids=lambda each: str(each.name))
def test_a_job_is_accepted_as_its_example_says(api: Api, task_type: TaskType) -> None:
    wanted = examples(api)[f"{task_type.name}_accepted"]
    accepted = api.post(example_body(task_type)).json
    assert accepted["cache"] == wanted["cache"]
    assert without_numbers(accepted) == without_numbers(wanted)


@pytest.mark.parametrize("task_type", OF_TEXT, ids=lambda each: str(each.name))
def test_a_job_completes_and_is_a_hit_as_its_examples_say(api: Api, task_type: TaskType) -> None:
    api.provider.default = Completion(result=dict(task_type.example.result), usage=USAGE)
    wanted, body = examples(api), example_body(task_type)
    completed = api.run(api.post(body))
    assert without_numbers(completed) == without_numbers(wanted[f"{task_type.name}_completed"])
    hit = api.post(body).json
    assert without_numbers(hit) == without_numbers(wanted[f"{task_type.name}_hit"])
    assert json.loads(json.dumps(hit["result"])) == task_type.example.result
