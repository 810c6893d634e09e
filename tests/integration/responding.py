"""Calls of `/v1/responses`, and the worker that answers them."""

import uuid
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from werkzeug.test import TestResponse

from shared.domain.answer import Usage
from tests.installation import Installation
from tests.integration.api_client import Api
from workers.providers.base import Completion
from workers.runner import run_job

PATHS = ("/v1/responses", "/openai/v1/responses")
MODEL = "groq/openai/gpt-oss-20b"


def completion(message: Mapping[str, Any], reason: str = "stop") -> Completion:
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 3,
        "total_tokens": 12,
        "completion_tokens_details": {"reasoning_tokens": 2},
    }
    document = {
        "id": "chatcmpl-of-the-provider",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "openai/gpt-oss-20b",
        "choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}],
        "usage": usage,
    }
    return Completion({"completion": document}, Usage(9, 3, 12, 4), cacheable=reason == "stop")


def responding_api(installation: Installation) -> Api:
    """Return an API that hears of the end of jobs; its worker tries only once, and knows the capital of Portugal."""
    api = installation.open_api(installation.configure(MAX_ATTEMPTS="1"))
    api.provider.default = completion({"content": "Lisbon."})
    api.listen()
    return api


def a_question(**fields: Any) -> dict[str, Any]:
    return {"model": MODEL, "input": f"The capital of Portugal? {uuid.uuid4()}", **fields}


def post(api: Api, body: object, path: str = PATHS[0], **headers: str) -> TestResponse:
    return api.http.post(path, json=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


def live_job(api: Api) -> UUID:
    (job,), _ = api.services.jobs.page(status="queued", task_type=None, limit=1, before=None)
    return job.id


def answered(api: Api, body: Mapping[str, Any], path: str = PATHS[0], **headers: str) -> TestResponse:
    """Ask, and let the worker run the job once the call waits for it."""
    with api.once_waiting(lambda: run_job(live_job(api), api.worker)):
        return post(api, body, path, **headers)


def read(api: Api, response: TestResponse, path: str = PATHS[0]) -> TestResponse:
    return api.get(f"{path}/{response.json['id']}")
