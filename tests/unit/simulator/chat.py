"""Chat completions, asked of all kinds of providers alike."""

import json
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


def streamed(client: FlaskClient, kind: str = "openai", **order: object) -> list[Any]:
    """Return what the events of a stream carry; the end of the stream is "[DONE]"."""
    with ask(client, kind, stream=True, **order) as response:
        assert response.mimetype == "text/event-stream", response.text
        events = response.text.split("\n\n")
    assert events.pop() == ""
    carried = [event.removeprefix("data: ") for event in events]
    return [each if each == "[DONE]" else json.loads(each) for each in carried]


def content_of(chunks: list[Any], choice: int = 0) -> str:
    """Return the joined deltas of one choice."""
    of_choice = [each for chunk in chunks if chunk != "[DONE]" for each in chunk["choices"] if each["index"] == choice]
    return "".join(each["delta"].get("content") or "" for each in of_choice)
