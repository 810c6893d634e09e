"""What the SDKs of OpenAI and Groq make of keys and limits; here they speak to the application itself."""

from importlib import import_module
from typing import Any

import pytest

from shared.domain.limits import Limits
from tests.installation import Installation
from tests.integration.key_world import KeyWorld

HTTP_CLIENTS = {"openai": "httpx2", "groq": "httpx"}
QUESTION = {"model": "openai/gpt-oss-20b", "messages": [{"role": "user", "content": "Who may ask?"}]}


@pytest.fixture
def world(installation: Installation) -> KeyWorld:
    return KeyWorld(installation)


def refused(vendor: str, world: KeyWorld, key: str) -> Any:
    """Ask with a key; return the error."""
    sdk, http = import_module(vendor), import_module(HTTP_CLIENTS[vendor])
    transport = http.WSGITransport(app=world.api.http.application)
    make, base_url = {"openai": ("OpenAI", "http://localhost/v1"), "groq": ("Groq", "http://localhost")}[vendor]
    with http.Client(transport=transport) as client:
        asking = getattr(sdk, make)(api_key=key, base_url=base_url, http_client=client, max_retries=0)
        with pytest.raises(sdk.APIStatusError) as raised:
            asking.chat.completions.create(**QUESTION)
    return raised.value


@pytest.mark.parametrize("vendor", HTTP_CLIENTS)
def test_a_key_that_is_not_valid_or_may_not_ask_is_an_error_of_its_class(world: KeyWorld, vendor: str) -> None:
    unknown, without = (refused(vendor, world, key) for key in ("ak_nobody", world.key("read")))
    assert (type(unknown).__name__, unknown.response.json()["error"]["code"]) == (
        "AuthenticationError",
        "invalid_api_key",
    )
    assert (type(without).__name__, without.response.json()["error"]["code"]) == (
        "PermissionDeniedError",
        "insufficient_scope",
    )


@pytest.mark.parametrize("vendor", HTTP_CLIENTS)
def test_a_limit_says_whether_and_when_it_is_worth_another_try(world: KeyWorld, vendor: str) -> None:
    quick, poor = (world.key(limits=limits) for limits in (Limits(requests_per_minute=1), Limits(tokens_per_day=10)))
    assert world.api.http.post("/v1/chat/completions", json={}, headers={"x-api-key": quick}).status_code == 400
    often, much = (refused(vendor, world, key) for key in (quick, poor))
    for error, code in ((often, "rate_limit_exceeded"), (much, "insufficient_quota")):
        assert (type(error).__name__, error.response.json()["error"]["code"]) == ("RateLimitError", code)
        assert int(error.response.headers["Retry-After"]) > 0
    assert (often.response.headers.get("x-should-retry"), much.response.headers["x-should-retry"]) == (None, "false")
