from collections.abc import Callable
from typing import TypeVar

import groq
import httpx
import pytest
from groq import _exceptions as vendor

from shared.domain.request import TextInput
from shared.jobs.errors import (
    BadAnswer,
    ModelNotAvailable,
    ProviderError,
    ProviderPaymentRequired,
    ProviderRateLimited,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnauthorized,
    ProviderUnavailable,
)
from tests.task_types import model_call
from workers.providers.call_limits import CallLimits
from workers.providers.groq import GroqProvider
from workers.providers.groq_errors import provider_error

E = TypeVar("E", bound=BaseException)
Respond = Callable[[httpx.Request], httpx.Response]

KEY = "gsk_" + "k" * 40
INPUT = "The quick brown fox jumps over the lazy dog, then writes a confidential letter about it."
CALL = model_call("chat", "openai/gpt-oss-20b", TextInput(INPUT))
REQUEST = httpx.Request("POST", "https://groq.test/openai/v1/chat/completions")


def error_of(respond: Respond) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        GroqProvider(KEY, "https://groq.test", CallLimits(5, 1_000_000), transport=httpx.MockTransport(respond)).answer(
            CALL
        )
    return caught.value


def refused(status: int, code: str = "", message: str = "No.", headers: dict[str, str] | None = None) -> ProviderError:
    body = {"error": {"message": message, "type": "invalid_request_error", "code": code}}
    return error_of(lambda _: httpx.Response(status, json=body, headers=headers))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (302, "", ProviderRejected),
        (400, "", ProviderRejected),
        (400, "context_length_exceeded", ProviderRejected),
        (400, "model_decommissioned", ModelNotAvailable),
        (400, "json_validate_failed", BadAnswer),
        (401, "invalid_api_key", ProviderUnauthorized),
        (402, "", ProviderPaymentRequired),
        (403, "", ProviderUnauthorized),
        (404, "model_not_found", ModelNotAvailable),
        (408, "", ProviderTimeout),
        (409, "", ProviderUnavailable),
        (410, "", ModelNotAvailable),
        (413, "rate_limit_exceeded", ProviderRejected),
        (418, "", ProviderRejected),
        (422, "", ProviderRejected),
        (429, "rate_limit_exceeded", ProviderRateLimited),
        (498, "capacity_exceeded", ProviderUnavailable),
        (500, "", ProviderUnavailable),
        (502, "", ProviderUnavailable),
        (503, "", ProviderUnavailable),
        (504, "", ProviderTimeout),
        (529, "", ProviderUnavailable),
    ],
)
def test_each_status_has_its_error(status: int, code: str, kind: type[ProviderError]) -> None:
    assert type(refused(status, code)) is kind


@pytest.mark.parametrize("status", [429, 498, 503])
def test_the_wait_the_provider_asks_for_is_passed_on(status: int) -> None:
    assert refused(status, headers={"Retry-After": "120"}).retry_after == 120


def test_no_wait_is_made_up() -> None:
    assert refused(429).retry_after is None


def test_the_detail_quotes_the_provider_shortened() -> None:
    detail = refused(400, message="Please reduce the length. " + "Really. " * 100).detail
    assert detail.startswith("Groq answered 400: Please reduce the length. Really. Really.")
    assert len(detail) < 250


@pytest.mark.parametrize("message", [f"Invalid API Key {KEY}", "Invalid API Key gsk_kk******kkk", f"a {KEY}{KEY} b"])
def test_the_detail_never_holds_the_key(message: str) -> None:
    assert "gsk_" not in refused(401, message=message).detail


@pytest.mark.parametrize("message", [f"Bad input: {INPUT}", f"Bad: {INPUT[10:60]}"])
def test_the_detail_never_holds_a_passage_of_the_input(message: str) -> None:
    assert refused(400, message=message).detail == "Groq answered 400."


def test_the_detail_can_be_stored_whatever_the_provider_says() -> None:
    content = b'{"error": {"message": "a\\u0000b\\ud800c\\n d"}}'
    error = error_of(lambda _: httpx.Response(400, content=content, headers={"Content-Type": "application/json"}))
    assert error.detail == "Groq answered 400: abc d"


@pytest.mark.parametrize("content", [b"<html>Bad gateway</html>", b"", b'{"error": 7}', b'{"error": {}}', b"[]", b"7"])
def test_an_error_without_the_usual_body_has_its_error_too(content: bytes) -> None:
    error = error_of(lambda _: httpx.Response(502, content=content, headers={"Content-Type": "application/json"}))
    assert (type(error), error.detail) == (ProviderUnavailable, "Groq answered 502.")


def raising(err: Exception) -> Respond:
    def respond(_: httpx.Request) -> httpx.Response:
        raise err

    return respond


def tree(root: type[E]) -> list[type[E]]:
    return [root, *(kind for child in root.__subclasses__() for kind in tree(child))]


@pytest.mark.parametrize("kind", tree(httpx.TransportError), ids=lambda kind: kind.__name__)
def test_every_failure_of_the_wire_is_a_timeout_or_unavailability(kind: type[httpx.TransportError]) -> None:
    expected = ProviderTimeout if issubclass(kind, httpx.TimeoutException) else ProviderUnavailable
    assert type(error_of(raising(kind("broken")))) is expected


def made(kind: type[groq.GroqError]) -> groq.GroqError:
    status = getattr(kind, "status_code", 500)
    response = httpx.Response(status, request=REQUEST)
    if issubclass(kind, vendor.APIStatusError):
        return kind("No.", response=response, body=None)
    if issubclass(kind, vendor.APIResponseValidationError):
        return kind(response, None)
    if issubclass(kind, vendor.APITimeoutError):
        return kind(REQUEST)
    if issubclass(kind, vendor.APIConnectionError):
        return kind(request=REQUEST)
    if issubclass(kind, vendor.APIError):
        return kind("No.", REQUEST, body=None)
    return kind("No.")


EXPECTED: dict[str, type[ProviderError]] = {
    "GroqError": ProviderUnavailable,
    "APIError": ProviderUnavailable,
    "APIResponseValidationError": BadAnswer,
    "APIConnectionError": ProviderUnavailable,
    "APITimeoutError": ProviderTimeout,
    "APIStatusError": ProviderUnavailable,
    "BadRequestError": ProviderRejected,
    "AuthenticationError": ProviderUnauthorized,
    "PermissionDeniedError": ProviderUnauthorized,
    "NotFoundError": ModelNotAvailable,
    "ConflictError": ProviderUnavailable,
    "UnprocessableEntityError": ProviderRejected,
    "RateLimitError": ProviderRateLimited,
    "InternalServerError": ProviderUnavailable,
    "StreamAlreadyConsumed": ProviderUnavailable,
}


@pytest.mark.parametrize("kind", tree(groq.GroqError), ids=lambda kind: kind.__name__)
def test_every_error_of_the_sdk_is_mapped(kind: type[groq.GroqError]) -> None:
    err = made(kind) if kind.__name__ != "StreamAlreadyConsumed" else kind()
    assert type(provider_error(err, secret=KEY, sent=INPUT)) is EXPECTED[kind.__name__]


def test_the_message_of_a_lost_connection_names_the_provider() -> None:
    assert error_of(raising(httpx.ConnectError("no route"))).detail == "Groq can't be reached or broke off its answer."


def test_without_retry_after_the_reset_of_what_is_spent_counts() -> None:
    spent = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m30s"}
    assert refused(429, headers=spent).retry_after == 90
    assert refused(429, headers={**spent, "retry-after": "7"}).retry_after == 7
