"""Embeddings on a running stack: SDKs ask, and the worker asks the simulator as it would ask Hugging Face."""

import base64
import struct
import uuid

import pytest
import requests

from tests.e2e.sdks import Sdk
from tests.stack import Stack

MODEL = "BAAI/bge-m3"


def vectors(sdk: Sdk, texts: list[str]) -> list[list[float]]:
    """Return the vectors in the format that the SDK asks for: OpenAI's asks for base64, and decodes it."""
    found = sdk.use(lambda client: client.embeddings.create(model=MODEL, input=texts))
    assert [each.index for each in found.data] == list(range(len(texts)))
    return [list(each.embedding) for each in found.data]


def test_a_text_is_paid_once_whatever_it_is_asked_with(stack: Stack, sdk: Sdk) -> None:
    first, second, third = (uuid.uuid4().hex for _ in range(3))
    known = vectors(sdk, [first, second])
    more = vectors(sdk, [third, first])
    assert stack.paid() == 2
    assert vectors(sdk, [first, second, third]) == [*known, more[0]]
    assert more[1] == known[0]
    assert stack.paid() == 2


def test_what_the_provider_can_not_do_is_the_sdks_bad_request(stack: Stack, sdk: Sdk) -> None:
    with pytest.raises(sdk.module.BadRequestError, match="dimensions"):
        sdk.use(lambda client: client.embeddings.create(model=MODEL, input="Hi", extra_body={"dimensions": 3}))
    assert stack.paid() == 0


def test_the_largest_call_is_one_call_and_then_a_hit(stack: Stack) -> None:
    texts = [uuid.uuid4().hex for _ in range(2048)]
    body = {"model": MODEL, "input": texts, "encoding_format": "base64"}
    miss, hit = (requests.post(stack.url("/v1/embeddings"), json=body, timeout=60).json() for _ in range(2))
    assert miss["data"] == hit["data"]
    assert len({struct.unpack("<64f", base64.b64decode(each["embedding"])) for each in hit["data"]}) == 2048
    assert (miss["x_askonce"]["misses"], hit["x_askonce"]["hits"], stack.paid()) == (2048, 2048, 1)
