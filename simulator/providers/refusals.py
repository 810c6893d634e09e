"""How each provider words a refusal: the status, the JSON body and the headers of real errors."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from simulator.faults.faults import Fault, FaultKind
from simulator.providers.wire import GROQ, ProviderReply, ProviderRequest, json_reply

HTML_PAGE = b"<html>\n<head><title>502 Bad Gateway</title></head>\n<body><h1>502 Bad Gateway</h1></body>\n</html>\n"


@dataclass(frozen=True)
class Refusal:
    """What a refusal says. `{model}` and `{wait}` stand for what the call and the fault give."""

    status: int
    message: str
    type: str = "invalid_request_error"
    code: str | None = None


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
    if asked.provider == GROQ:
        return groq_error(status, message, said.type, said.code, headers)
    if fault.fault is FaultKind.RATE_LIMITED:
        message = "You have reached the rate limit of your account."
    if fault.fault is FaultKind.LOADING:
        return json_reply(status, {"error": message, "estimated_time": 20.0}, headers)
    return hugging_face_error(asked.path, status, message, said.code, headers)


def groq_error(
    status: int, message: str, kind: str, code: str | None, headers: Mapping[str, str] | None = None
) -> ProviderReply:
    """Return an error in Groq's shape; `code` is left out where the real one has none."""
    error = {"message": message, "type": kind, "code": code}
    return json_reply(status, {"error": {name: value for name, value in error.items() if value is not None}}, headers)


def hugging_face_error(
    path: str, status: int, message: str, code: str | None, headers: Mapping[str, str] | None = None
) -> ProviderReply:
    """Return an error in Hugging Face's shape: an object for the router's chat, a plain string for the rest."""
    if path.endswith("/chat/completions"):
        error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
        return json_reply(status, {"error": error}, headers)
    return json_reply(status, {"error": message}, headers)


def _headers(fault: Fault, asked: ProviderRequest) -> dict[str, str]:
    limited = fault.fault is FaultKind.RATE_LIMITED
    headers = {}
    # An empty string orders a 429 that does not say when to come back.
    retry_after = "1" if limited and fault.retry_after is None and asked.provider == GROQ else fault.retry_after
    if retry_after:
        headers["retry-after"] = retry_after
    if limited and asked.provider != GROQ:
        seconds = retry_after if retry_after and retry_after.isdigit() else "55"
        headers["RateLimit"] = f'"api";r=0;t={seconds}'
    return headers
