"""Embeddings: what embedding models are asked, and their vectors. Nothing in an answer is trusted.

https://platform.openai.com/docs/api-reference/embeddings and
https://huggingface.co/docs/inference-providers/tasks/feature-extraction
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from shared.domain.answer import Usage
from shared.domain.embedding_input import EmbeddingInput
from shared.domain.task_type import Embedding
from shared.domain.vectors import dimensions_of, packed, repacked
from shared.jobs.errors import BadAnswer, ProviderRejected
from workers.providers.base import Completion, ModelCall
from workers.providers.chat_completion import read_usage
from workers.providers.errors import error_fields

BYTES_PER_ITEM = 100_000
"""How many bytes more than MAX_ANSWER_BYTES an answer may have for each item: 4096 numbers in decimal."""


def embedded_input(call: ModelCall) -> EmbeddingInput:
    """Return what is to be embedded; raise ProviderRejected for another kind of work."""
    if not isinstance(call.task_type.work, Embedding) or not isinstance(call.input, EmbeddingInput):
        message = f"{call.task_type.name} is no work for an embedding model."
        raise ProviderRejected(message)
    return call.input


def openai_body(call: ModelCall) -> dict[str, Any]:
    """Return what a server of the kind `openai` is asked. Numbers in base64 are a third of their size in decimal."""
    given = embedded_input(call)
    return {**given.as_body(), "model": call.model, "encoding_format": "base64"}


def feature_extraction_body(call: ModelCall, title: str) -> dict[str, Any]:
    """Return what Hugging Face is asked; raise ProviderRejected for what it can't do. `title`: its name in messages."""
    given = embedded_input(call)
    if given.dimensions is not None:
        message = f"{title} makes vectors of the model's own length: leave out `dimensions`."
        raise ProviderRejected(message)
    if not all(isinstance(item, str) for item in given.items):
        message = f"{title} takes texts, not token ids."
        raise ProviderRejected(message)
    return {**given.parameters, "inputs": given.items}


def openai_embeddings(call: ModelCall, document: object, pause: float | None) -> Completion:
    """Return the vectors of OpenAI's document, in the order of the items; raise BadAnswer if it is none."""
    match document:
        case {"data": [*data], **rest}:
            usage = _usage(rest.get("usage"))
            vectors = {each["index"]: each["embedding"] for each in data if _is_item(each)}
            return _completed(call, [vectors.get(index) for index in range(len(data))], usage, pause)
    _, said = error_fields(document)
    message = "The provider answered with an error in place of embeddings." if said else "Not a list of embeddings."
    raise BadAnswer(message)


def feature_extraction(call: ModelCall, document: object, pause: float | None) -> Completion:
    """Return the vectors of Hugging Face's list of lists; raise BadAnswer if it is none. Tokens are not known."""
    if not isinstance(document, list):
        message = "Not a list of vectors."
        raise BadAnswer(message)
    return _completed(call, document, Usage(), pause)


def _completed(call: ModelCall, vectors: Sequence[object], usage: Usage, pause: float | None) -> Completion:
    given = embedded_input(call)
    try:
        found = [_packed(vector) for vector in vectors]
    except ValueError as err:
        message = f"A vector can't be used: {err}."
        raise _bad(message, usage) from err
    lengths = set(map(dimensions_of, found))
    if len(found) != len(given.items) or len(lengths) != 1:
        message = f"{len(given.items)} vectors of one length were asked for, {len(found)} came, of {len(lengths)}."
        raise _bad(message, usage)
    if given.dimensions not in (None, *lengths):
        # It would answer the same again.
        rejected = ProviderRejected(f"The model makes vectors of {lengths.pop()} numbers, not of {given.dimensions}.")
        rejected.usage = usage
        raise rejected
    return Completion({"embeddings": found}, usage, pause=pause)


def _packed(vector: object) -> str:
    if isinstance(vector, str):
        return repacked(vector)
    if isinstance(vector, list):
        return packed(vector)
    message = "it is neither a list nor base64"
    raise ValueError(message)


def _is_item(each: object) -> bool:
    match each:
        case {"index": int(), "embedding": _}:
            return True
    return False


def _usage(counts: object) -> Usage:
    usage = read_usage(counts)
    return usage if usage.prompt_tokens is None else replace(usage, completion_tokens=0)


def _bad(message: str, usage: Usage) -> BadAnswer:
    error = BadAnswer(message)
    error.usage = usage
    return error
