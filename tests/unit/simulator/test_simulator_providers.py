"""Whichever providers there are: the simulator serves what they serve for a task type, at the paths of their kind."""

import base64
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from shared.domain.providers import BUILT_IN
from shared.domain.registry import TASK_TYPES
from shared.domain.task_type import ImageClassification, Model, TaskType
from simulator import create_app
from simulator.providers import served

KEY = {"Authorization": "Bearer x"}
PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\nany picture").decode()
CHAT_PATHS = {
    "groq": "/openai/v1/chat/completions",
    "huggingface": "/v1/chat/completions",
    "openai": "/compatible/v1/chat/completions",
}
"""A new kind adds its path here."""

EVERY_MODEL = [(task_type, model) for task_type in TASK_TYPES for model in task_type.models]


def ask(client: FlaskClient, task_type: TaskType, kind: str, model: str) -> int:
    if isinstance(task_type.work, ImageClassification):
        path, body = f"/hf-inference/models/{model}", {"inputs": PICTURE}
    else:
        path, body = CHAT_PATHS[kind], {"model": model, "messages": [{"role": "user", "content": "Hi"}]}
    return client.post(path, json=body, headers=KEY).status_code


@pytest.mark.parametrize(("task_type", "model"), EVERY_MODEL, ids=lambda part: part.name)
def test_every_model_of_a_task_type_is_served_at_the_path_of_its_providers_kind(
    task_type: TaskType, model: Model
) -> None:
    assert ask(create_app().test_client(), task_type, BUILT_IN[model.provider].kind, model.name) == 200


@pytest.mark.parametrize("kind", sorted({provider.kind for provider in BUILT_IN.values()}))
def test_a_second_provider_of_a_kind_has_its_models_served_too(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    first = next(provider for provider in BUILT_IN.values() if provider.kind == kind)
    second = replace(first, name="another", prefix="ANOTHER")
    of_kind = (each for each in TASK_TYPES if isinstance(each.work, first.works))
    task_types = [replace(each, models=(Model(second.name, "its/own"),)) for each in of_kind]
    monkeypatch.setattr(served, "BUILT_IN", {second.name: second})
    monkeypatch.setattr(served, "TASK_TYPES", task_types)
    client = create_app().test_client()
    assert {ask(client, each, kind, "its/own") for each in task_types} == {200}
