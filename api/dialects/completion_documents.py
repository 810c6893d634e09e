"""The documents of chat completions: a provider's, complete to what OpenAI's always has, with an id of our own."""

from collections.abc import Mapping
from typing import Any

from shared.jobs.job import ShownJob
from shared.times import new_id_text

JOB_HEADER = "X-AskOnce-Job"
NO_USAGE = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
"""Of a hit."""


def answered_document(job: ShownJob, completion: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document for a client that waited for a job; the usage is what the provider said."""
    made_at = job.completed_at or job.created_at
    document = completion_document(completion, job.model, int(made_at.timestamp()))
    return {"id": new_completion_id(), **document, "x_askonce": ours_of(str(job.id))}


def ours_of(job_id: str) -> dict[str, Any]:
    """Return what we say of an answer that its job has just made."""
    return {"saved": None, "job_id": job_id, "tier": None}


def completion_document(document: Mapping[str, Any], model: str, created: int) -> dict[str, Any]:
    """Return a provider's document, complete to what OpenAI's always has, and without the provider's id."""
    given = {name: value for name, value in document.items() if name != "id"}
    return {
        "object": "chat.completion",
        "created": created,
        "model": model,
        **given,
        "choices": [_choice(index, choice) for index, choice in enumerate(document["choices"])],
    }


def new_completion_id() -> str:
    """Return a new id for a response."""
    return f"chatcmpl-{new_id_text()}"


def _choice(index: int, choice: Mapping[str, Any]) -> dict[str, Any]:
    message = {"role": "assistant", "content": None, "refusal": None, **choice["message"]}
    return {"index": index, "logprobs": None, **choice, "message": message}
