"""Bodies for the chat completions of a front, and a front that has the answer to one of them."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from api.app import CHAT_COMPLETIONS
from shared.times import now
from tests.installation import Installation
from tests.integration.asking import an_answer
from tests.integration.fast_path_world import a_completion, completion_address
from tests.integration.front_client import Call, FrontClient, Received, fronts, json_call

USER = {"role": "user", "content": "a"}
HELD = "held by both tiers"


@contextmanager
def open_front(installation: Installation) -> Iterator[FrontClient]:
    """Open a front whose tiers have the answer to HELD."""
    services = installation.services
    completion = {"choices": [{"message": {"content": HELD}, "finish_reason": "stop"}]}
    services.cache.store(completion_address(services, HELD), an_answer(now(), completion=completion))
    with fronts(services) as (front, _):
        yield front


def a_call(body: bytes, **headers: str) -> Call:
    """Return a POST of this body. Headers are given in the way of `cache_control="no-store"`."""
    return replace(json_call(body, **headers), path=CHAT_COMPLETIONS[0])


def with_fields(**fields: object) -> bytes:
    """Return a valid body, but for these members."""
    return json.dumps({**a_completion("new"), **fields}).encode()


def error_of(received: Received) -> Mapping[str, Any]:
    """Return the error, which must have OpenAI's shape."""
    document = json.loads(received.body)
    assert document.keys() == {"error"}
    error: Mapping[str, Any] = document["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["message"]
    return error
