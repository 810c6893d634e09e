"""Calls for embeddings, and a provider that answers them."""

import uuid
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from werkzeug.test import TestResponse

from shared.domain.answer import Usage
from shared.domain.embedding_input import EmbeddingInput
from shared.domain.vectors import packed
from tests.installation import Installation
from tests.integration.api_client import Api
from workers.providers.base import Completion, ModelCall
from workers.runner import run_job

PATHS = ("/v1/embeddings", "/openai/v1/embeddings")
MODEL = "huggingface/BAAI/bge-m3"


def embedded(call: ModelCall) -> Completion:
    """Answer with the vector (length, 1) for each item; each of its characters, or token ids, is a token."""
    assert isinstance(call.input, EmbeddingInput)
    tokens = sum(map(len, call.input.items))
    vectors = [packed([len(item), 1.0]) for item in call.input.items]
    return Completion({"embeddings": vectors}, Usage(tokens, 0, tokens))


def open_embedding_api(installation: Installation) -> Api:
    """Return an API that hears of the end of jobs; its worker tries only once, and can embed."""
    api = installation.open_api(installation.configure(MAX_ATTEMPTS="1"))
    api.provider.default = embedded
    api.listen()
    return api


def some_texts(*lengths: int) -> list[str]:
    """Return new texts of these lengths."""
    return [uuid.uuid4().hex.ljust(length, ".") for length in lengths]


def post(
    api: Api, given: object, path: str = PATHS[0], *, more: Mapping[str, object] = {}, **headers: str
) -> TestResponse:
    body = {"model": MODEL, "input": given, **more}
    return api.http.post(path, json=body, headers={name.replace("_", "-"): value for name, value in headers.items()})


def answered(api: Api, given: object, **kwargs: Any) -> TestResponse:
    """Ask, and let the worker run the job once the call waits for it."""
    with api.once_waiting(lambda: run_job(live_job(api), api.worker)):
        response = post(api, given, **kwargs)
    assert response.status_code == 200, response.text
    return response


def live_job(api: Api) -> UUID:
    (job,), _ = api.services.jobs.page(status="queued", task_type="embedding", limit=1, before=None)
    return job.id
