"""Chat completions, asked of all kinds of providers alike."""

from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

#: A kind of providers -> its path and a model that it serves.
KINDS = {
    "groq": ("/openai/v1", "openai/gpt-oss-20b"),
    "huggingface": ("/v1", "zai-org/GLM-4.5V"),
    "openai": ("/compatible/v1", "anything:7b"),
}
QUESTION = [{"role": "user", "content": "Hi"}]


def ask(client: FlaskClient, kind: str = "openai", **order: object) -> TestResponse:
    path, model = KINDS[kind]
    body = {"model": model, "messages": QUESTION, **order}
    return client.post(f"{path}/chat/completions", json=body, headers={"Authorization": "Bearer x"})


def answered(client: FlaskClient, kind: str = "openai", **order: object) -> dict[str, Any]:
    response = ask(client, kind, **order)
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json  # type: ignore[assignment]
    return document


def tool(name: str, **properties: object) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": [*properties]}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}
