"""How each provider words a refusal: the status, the JSON body and the headers of real errors."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from simulator.faults.faults import Fault, FaultKind
from simulator.providers.wire import GROQ, HUGGING_FACE, ProviderReply, ProviderRequest, json_reply

HTML_PAGE = b"<html>\n<head><title>502 Bad Gateway</title></head>\n<body><h1>502 Bad Gateway</h1></body>\n</html>\n"


@dataclass(frozen=True)
class Refusal:
    """What a refusal says. `{model}` and `{wait}` stand for what the call and the fault give."""

    status: int
    message: str
    type: str = "invalid_request_error"
    code: str | None = None
    #: The parameter that is at fault, if it is one.
    param: str | None = None


REFUSALS: Mapping[FaultKind, Refusal] = MappingProxyType(
    {
        FaultKind.RATE_LIMITED: Refusal(
            429,
            "Rate limit reached for model `{model}` in organization `org_simulated` service tier `on_demand` on tokens"
            " per minute (TPM): Limit 8000, Used 8000, Requested 100. Please try again in {wait}s.",
            "tokens",
            "rate_limit_exceeded",
        ),
        FaultKind.SERVER_ERROR: Refusal(500, "Internal Server Error", "internal_server_error"),
        FaultKind.LOADING: Refusal(503, "Model {model} is currently loading", "internal_server_error"),
        FaultKind.HTML: Refusal(502, "Bad Gateway"),
        FaultKind.UNAUTHORIZED: Refusal(401, "Invalid API Key", code="invalid_api_key"),
        FaultKind.PAYMENT_REQUIRED: Refusal(
            402, "You have exceeded your monthly included credits for Inference Providers.", code="payment_required"
        ),
        FaultKind.NOT_FOUND: Refusal(
            404, "The model `{model}` does not exist or you do not have access to it.", code="model_not_found"
        ),
        FaultKind.GONE: Refusal(410, "The requested model is deprecated and no longer supported.", code="model_gone"),
        FaultKind.BAD_REQUEST: Refusal(400, "The request was refused by order of the test.", code="bad_request"),
    }
)


def refusal(fault: Fault, asked: ProviderRequest) -> ProviderReply:
    """Return the refusal this fault asks for, in the words and shape of the provider that was called."""
    said = REFUSALS[fault.fault]
    status = fault.status or said.status
    headers = _headers(fault, asked)
    if fault.fault is FaultKind.HTML:
        return ProviderReply(status, HTML_PAGE, headers, "text/html")
    message = said.message.format(model=asked.model, wait=fault.retry_after or "1")
    if asked.provider == HUGGING_FACE and fault.fault is FaultKind.RATE_LIMITED:
        message = "You have reached the rate limit of your account."
    if asked.provider == HUGGING_FACE and fault.fault is FaultKind.LOADING:
        return json_reply(status, {"error": message, "estimated_time": 20.0}, headers)
    return error_reply(asked, replace(said, status=status, message=message), headers)


def error_reply(asked: ProviderRequest, said: Refusal, headers: Mapping[str, str] | None = None) -> ProviderReply:
    """Return an error in the shape of the provider that was called.

    All have an object as OpenAI has it. Groq leaves out what it does not know. Hugging Face has a plain string where it
    does not speak OpenAI's language.
    """
    error = {"message": said.message, "type": said.type, "param": said.param, "code": said.code}
    if asked.provider == GROQ:
        error = {name: value for name, value in error.items() if value is not None}
    plain = asked.provider == HUGGING_FACE and not asked.path.startswith("/v1/")
    return json_reply(said.status, {"error": said.message if plain else error}, headers)


def _headers(fault: Fault, asked: ProviderRequest) -> dict[str, str]:
    limited = fault.fault is FaultKind.RATE_LIMITED
    says_when = asked.provider != HUGGING_FACE
    headers = {}
    # An empty string orders a 429 that does not say when to come back.
    retry_after = "1" if limited and fault.retry_after is None and says_when else fault.retry_after
    if retry_after:
        headers["retry-after"] = retry_after
    if limited and not says_when:
        seconds = retry_after if retry_after and retry_after.isdigit() else "55"
        headers["RateLimit"] = f'"api";r=0;t={seconds}'
    return headers
