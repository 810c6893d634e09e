"""Examples of what clients of OpenAI's API get, for the OpenAPI document, made by the code that answers them."""

import json
from datetime import timedelta
from typing import Any

from flask_smorest import Api

from api.dialects.completion_documents import answered_document
from api.dialects.embedding_documents import embeddings_body, head_of, ours_of
from api.responses.documents import made_by, response_document
from api.responses.record import ResponseRecord
from api.responses.wanted import read_wanted
from api.schemas.job_examples import ASKED_AT, JOB_ID, USAGE
from shared.domain.answer import Usage
from shared.domain.request import DEFAULT_TENANT
from shared.domain.vectors import packed
from shared.jobs.job import JobStatus, ShownJob

COMPLETION, RESPONSE, VECTORS = "chat_completion", "response", "embeddings"
MODEL = "groq/openai/gpt-oss-20b"
QUESTION = "What is the capital of Portugal?"
ASK_COMPLETION: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": QUESTION}]}
ASK_RESPONSE: dict[str, Any] = {"model": MODEL, "input": QUESTION}
ASK_EMBEDDINGS: dict[str, Any] = {
    "model": "huggingface/BAAI/bge-m3",
    "input": ["Lisbon", "Porto"],
    "encoding_format": "base64",
}
"""The bodies that the examples answer."""

_ANSWER = {
    "object": "chat.completion",
    "model": "openai/gpt-oss-20b",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Lisbon."}, "finish_reason": "stop"}],
    "usage": {key: value for key, value in USAGE.counts().items() if value is not None},
}


def example_of(name: str) -> dict[str, Any]:
    """Return a reference to an example."""
    return {name: {"$ref": f"#/components/examples/{name}"}}


def describe_compatible_examples(api: Api) -> None:
    """Add the examples."""
    made = (
        (COMPLETION, "a new completion", _completion()),
        (RESPONSE, "a new response", _response()),
        (VECTORS, "new vectors in base64", _embeddings()),
    )
    for name, summary, document in made:
        api.spec.components.example(name, {"summary": summary, "value": document})


def _job() -> ShownJob:
    return ShownJob(
        id=JOB_ID,
        task_type=COMPLETION,
        provider="groq",
        model="openai/gpt-oss-20b",
        cache_key="f" * 64,
        status=JobStatus.COMPLETED,
        result={"completion": _ANSWER},
        stale=False,
        failure=None,
        usage=USAGE,
        attempts=1,
        created_at=ASKED_AT,
        started_at=ASKED_AT,
        completed_at=ASKED_AT + timedelta(milliseconds=640),
    )


def _completion() -> dict[str, Any]:
    # Each answer has an id of its own; the example keeps one.
    return {**answered_document(_job(), _ANSWER), "id": f"chatcmpl-{JOB_ID}"}


def _response() -> dict[str, Any]:
    wanted = read_wanted(ASK_RESPONSE)
    record = ResponseRecord(
        id=JOB_ID,
        tenant=DEFAULT_TENANT,
        job_id=JOB_ID,
        previous_id=None,
        background=wanted.background,
        model=wanted.model,
        items=wanted.items,
        parameters=wanted.parameters.shown,
    )
    return response_document(record, made_by(_job()))


def _embeddings() -> dict[str, Any]:
    head = head_of(ASK_EMBEDDINGS["model"], Usage(4, None, 4), ours_of(None, str(JOB_ID), 0, 2))
    vectors = {"lisbon": packed((0.6, 0.8)), "porto": packed((0.8, 0.6))}
    found: dict[str, Any] = json.loads(embeddings_body([*vectors], vectors, head, in_base64=True))
    return found
