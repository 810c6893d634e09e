"""Whatever is sent to `/v1/chat/completions` is refused with an error of OpenAI's shape, or passed on."""

import json
from collections.abc import Iterator
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from api.http.json_body import MAX_DEPTH
from tests.installation import Installation
from tests.integration.completion_calls import USER, a_call, error_of, open_front, with_fields
from tests.integration.front_client import FrontClient

pytestmark = pytest.mark.usefixtures("patient_tiers")

FIELDS = (
    *(
        "messages",
        "model",
        "stream",
        "stream_options",
        "temperature",
        "top_p",
        "n",
        "max_tokens",
        "stop",
        "seed",
        "tools",
    ),
    *("max_completion_tokens", "tool_choice", "parallel_tool_calls", "response_format", "logprobs", "top_logprobs"),
    *("logit_bias", "presence_penalty", "frequency_penalty", "user", "metadata", "safety_identifier", "store"),
    *("reasoning_effort", "verbosity", "modalities", "audio", "prediction", "service_tier", "functions"),
    *("function_call", "prompt_cache_key", "web_search_options"),
)
"""All that OpenAI documents."""

VALUES = [True, -1, 1.5, 1e308, 5e-324, 10**399, "", "\U0001f600", [], [None], [[]], {}, {"": {"a": [None]}}]
"""One of these, if not most, is of the wrong type for each field."""

DEEP_ENOUGH = MAX_DEPTH - 3
"""The body, its tools and each of them are the other levels."""

NOT_ASKED = {"cache_control": "no-store, only-if-cached"}
"""With it, a call that is understood is 504: neither a tier is asked, nor a job made."""


@pytest.fixture
def front(installation: Installation) -> Iterator[FrontClient]:
    with open_front(installation) as front:
        yield front


def nested(depth: int) -> dict[str, Any]:
    """Return an object that holds another one, and so on."""
    found: dict[str, Any] = {}
    for _ in range(depth):
        found = {"a": found}
    return found


def test_a_field_of_any_type_is_refused_or_passed_on(front: FrontClient) -> None:
    for field, value in product(FIELDS, VALUES):
        received = front.call(a_call(with_fields(**{field: value}), **NOT_ASKED))
        found = (received.status, error_of(received)["code"])
        known = {(400, "invalid_request"), (404, "model_not_found"), (504, "not_cached")}
        assert found in known, f"{field}: {value}"


WRONG_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"model": None}, "model"),
    ({"model": ["a"]}, "model"),
    ({"messages": None}, "messages"),
    ({"messages": "Hi"}, "messages"),
    ({"messages": {"role": "user"}}, "messages"),
    ({"messages": [USER, "Hi"]}, "messages[1]"),
    ({"messages": [{"role": 1}]}, "messages[0]"),
    ({"stream": "yes"}, "stream"),
    ({"stream_options": True}, "stream_options"),
    ({"messages": [{**USER, "content": [{"text": "\ud800"}]}]}, "messages[0].content[0].text"),
    ({"tools": [{"\x00": 1}]}, "tools[0]"),
]


def test_what_we_read_ourselves_must_be_right(front: FrontClient) -> None:
    for fields, param in WRONG_FIELDS:
        received = front.call(a_call(with_fields(**fields)))
        error = error_of(received)
        assert (received.status, error["code"], error["param"]) == (400, "invalid_request", param)


def test_values_of_any_type_are_kept_for_the_job(front: FrontClient, installation: Installation) -> None:
    received = front.call(a_call(with_fields(anything=VALUES), prefer="respond-async"))
    assert received.status == 202
    request = installation.services.jobs.get(UUID(json.loads(received.body)["job_id"])).request
    # PostgreSQL writes a large float as an integer.
    assert [float(each) if each == 10**308 else each for each in request["input"]["anything"]] == VALUES


NO_JSON = [
    with_fields(tools=[nested(DEEP_ENOUGH + 1)]),
    b'{"model": "\xff"}',
    with_fields().decode().encode("utf-16"),
    b'{"n": 1e999}',
    b'{"n": NaN}',
    b'{"n": %b}' % (b"1" * 1000),
    b'{"model": "a", "model": "b"}',
    b'{"model": "a", "messages": [{"role": "user", "role": "user"}]}',
    b"",
]


def test_what_is_no_json_or_ambiguous_is_refused(front: FrontClient) -> None:
    for body in NO_JSON:
        received = front.call(a_call(body))
        assert (received.status, error_of(received)["code"]) == (400, "malformed_request"), body[:100]


def test_tools_may_be_deep(front: FrontClient) -> None:
    received = front.call(a_call(with_fields(tools=[nested(DEEP_ENOUGH)]), **NOT_ASKED))
    assert (received.status, error_of(received)["code"]) == (504, "not_cached")


OTHER_KINDS = [
    *({"content_type": name} for name in ("", "text/plain", "text/json", "application/jsonl")),
    {"content_type": "application/x-www-form-urlencoded"},
    {"content_type": "multipart/form-data; boundary=a"},
    {"content_encoding": "gzip"},
]


def test_other_kinds_of_bodies_are_refused(front: FrontClient) -> None:
    for headers in OTHER_KINDS:
        received = front.call(a_call(with_fields(), **headers))
        assert (received.status, error_of(received)["type"]) == (415, "invalid_request_error"), headers


def test_a_body_that_announces_too_much_is_refused_unread(front: FrontClient) -> None:
    received = front.call(a_call(b"{", content_length="1000000000000"))
    assert (received.status, error_of(received)["code"]) == (413, "request_too_large")
