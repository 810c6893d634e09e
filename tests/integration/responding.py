"""Calls of `/v1/responses`, and the worker that answers them."""

import uuid
from collections.abc import Mapping
from typing import Any

from werkzeug.test import TestResponse

from shared.domain.answer import Usage
from tests.integration.api_client import Api
from tests.integration.compatible_endpoint import CompatibleEndpoint
from workers.providers.base import Completion

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


def a_question(**fields: Any) -> dict[str, Any]:
    return {"model": MODEL, "input": f"The capital of Portugal? {uuid.uuid4()}", **fields}


_ENDPOINT = CompatibleEndpoint(PATHS[0])
post, answered = _ENDPOINT.post, _ENDPOINT.answered


def read(api: Api, response: TestResponse, path: str = PATHS[0]) -> TestResponse:
    return api.get(f"{path}/{response.json['id']}")
