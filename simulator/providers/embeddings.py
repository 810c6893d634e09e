"""Embeddings as OpenAI-compatible servers and Hugging Face give them: unit vectors made of a digest of each input."""

import base64
import hashlib
import json
import math
import struct
from dataclasses import dataclass
from typing import Any, TypeGuard

from simulator.providers.completions import count_tokens
from simulator.providers.refusals import Refusal, error_reply
from simulator.providers.wire import ProviderReply, ProviderRequest, RequestRefused, json_reply

USUAL_DIMENSIONS = 64
MOST_DIMENSIONS = 4096
MOST_INPUTS = 2048
HALF_OF_32_BITS = 2**31
Input = str | list[int]


class UnusableInput(Exception):
    """A parameter is not what the API documents; `param` names it."""

    def __init__(self, message: str, param: str) -> None:
        super().__init__(message)
        self.param = param


@dataclass(frozen=True)
class EmbeddingOrder:
    """What is to be embedded, and how the vectors have to look."""

    inputs: list[Input]
    dimensions: int
    #: Little-endian 32-bit floats in base64, instead of a list of numbers.
    in_base64: bool


def embeddings_reply(asked: ProviderRequest) -> ProviderReply:
    """Return one vector for each input, in their order; RequestRefused if a parameter is wrong."""
    try:
        order = _read_order(asked.document or {})
    except UnusableInput as error:
        raise RequestRefused(error_reply(asked, Refusal(400, str(error), param=error.param))) from error
    vectors = [_vector(asked.model or "", each, order.dimensions) for each in order.inputs]
    tokens = sum(count_tokens(each) if isinstance(each, str) else len(each) for each in order.inputs)
    document = {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": _written(vector, order)}
            for index, vector in enumerate(vectors)
        ],
        "model": asked.model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }
    return json_reply(200, document)


def feature_extraction_reply(asked: ProviderRequest) -> ProviderReply:
    """Return what Hugging Face's pipeline does: a vector for a text, a list of vectors for a list of texts."""
    inputs = (asked.document or {}).get("inputs")
    listed = inputs if isinstance(inputs, list) else [inputs]
    texts: list[Input] = [each for each in listed if isinstance(each, str) and each]
    if not texts or len(texts) < len(listed):
        message = "`inputs` must be a text or a list of texts, none of them empty"
        raise RequestRefused(error_reply(asked, Refusal(400, message)))
    order = EmbeddingOrder(texts, USUAL_DIMENSIONS, in_base64=False)
    vectors = [_written(_vector(asked.model or "", each, USUAL_DIMENSIONS), order) for each in texts]
    return json_reply(200, vectors if isinstance(inputs, list) else vectors[0])


def _vector(model: str, embedded: Input, dimensions: int) -> bytes:
    """Return the vector of an input as little-endian 32-bit floats; its length is 1."""
    seed = json.dumps([model, dimensions, embedded]).encode()
    drawn = struct.unpack(f"<{dimensions}I", hashlib.shake_256(seed).digest(4 * dimensions))
    # Odd numbers around zero: no vector is all zeros.
    centred = [2 * number + 1 - 2 * HALF_OF_32_BITS for number in drawn]
    length = math.sqrt(sum(number * number for number in centred))
    return struct.pack(f"<{dimensions}f", *(number / length for number in centred))


def _written(vector: bytes, order: EmbeddingOrder) -> str | list[float]:
    if order.in_base64:
        return base64.b64encode(vector).decode()
    return list(struct.unpack(f"<{order.dimensions}f", vector))


def _read_order(document: dict[str, Any]) -> EmbeddingOrder:
    dimensions = document.get("dimensions")
    if dimensions is not None and (type(dimensions) is not int or not 1 <= dimensions <= MOST_DIMENSIONS):
        message = f"`dimensions` must be between 1 and {MOST_DIMENSIONS}"
        raise UnusableInput(message, "dimensions")
    encoding = document.get("encoding_format")
    if encoding not in (None, "float", "base64"):
        message = "`encoding_format` must be `float` or `base64`"
        raise UnusableInput(message, "encoding_format")
    inputs = _read_inputs(document.get("input"))
    return EmbeddingOrder(inputs, dimensions or USUAL_DIMENSIONS, encoding == "base64")


def _read_inputs(given: object) -> list[Input]:
    """Return the inputs of a text, of token ids, or of a list of either."""
    listed = given if isinstance(given, list) and not _is_token_ids(given) else [given]
    texts: list[Input] = [each for each in listed if isinstance(each, str) and each]
    token_ids: list[Input] = [each for each in listed if _is_token_ids(each)]
    if not 1 <= len(listed) <= MOST_INPUTS or len(listed) not in (len(texts), len(token_ids)):
        message = f"`input` must be a text, token ids, or a list of 1 to {MOST_INPUTS} of either, none of them empty"
        raise UnusableInput(message, "input")
    return texts or token_ids


def _is_token_ids(given: object) -> TypeGuard[list[int]]:
    return isinstance(given, list) and bool(given) and all(type(each) is int and each >= 0 for each in given)
