"""Our errors for the errors of providers, which all use HTTP and error bodies like those of OpenAI's API."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.domain.completions import CHAT_COMPLETION
from shared.domain.providers import Provider
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
from shared.jobs.job import Job
from workers.providers.key_echoes import repeats_key

logger = logging.getLogger(__name__)


MAX_MESSAGE_CHARS = 200
QUOTED_CHARS = 24
"""A message that repeats this many successive characters of the request is not passed on."""

_BY_STATUS: Mapping[int, type[ProviderError]] = {
    401: ProviderUnauthorized,
    402: ProviderPaymentRequired,
    403: ProviderUnauthorized,
    404: ModelNotAvailable,
    408: ProviderTimeout,
    409: ProviderUnavailable,
    410: ModelNotAvailable,
    425: ProviderUnavailable,
    429: ProviderRateLimited,
    # Groq's flex tier has no capacity left: https://console.groq.com/docs/errors
    498: ProviderUnavailable,
    504: ProviderTimeout,
}

_BY_CODE: Mapping[str, type[ProviderError]] = {
    "json_validate_failed": BadAnswer,
    "model_decommissioned": ModelNotAvailable,
    "model_not_found": ModelNotAvailable,
    "model_not_active": ModelNotAvailable,
    "model_terms_required": ModelNotAvailable,
    "model_not_supported": ModelNotAvailable,
}
"""Error codes that say more than the status. They decide, whatever the status: Groq sends some of them with 400."""

_SERVER_ERROR = 500
_MASK = "[removed]"
_KEY_OR_PICTURE = re.compile(r"\b(?:gsk|hf|sk)[_-]\S+|\bdata:\S+|[A-Za-z0-9+/]{60,}")


@dataclass(frozen=True, slots=True)
class VendorError:
    """An error that a provider sent.

    `status`: of HTTP. `code` and `message`: None if the body has none. `retry_after`: seconds to wait, None if the
    provider did not say.
    """

    vendor: str
    status: int
    code: str | None = None
    message: str | None = field(default=None, repr=False)
    retry_after: float | None = None

    def error(self, *, secret: str, sent: str) -> ProviderError:
        """Return our error. Its detail quotes the provider's message, unless that repeats a passage of `sent`.

        API keys, `secret` and pictures are removed from the quotation; a message with parts of `secret` is not quoted.
        """
        kind = _BY_CODE.get(self.code or "") or _BY_STATUS.get(self.status) or self._by_class()
        said = _quotable(self.message or "", secret, sent)
        detail = f"{self.vendor} answered {self.status}: {said}" if said else f"{self.vendor} answered {self.status}."
        return kind(detail, retry_after=self.retry_after)

    def _by_class(self) -> type[ProviderError]:
        return ProviderUnavailable if self.status >= _SERVER_ERROR else ProviderRejected


def error_fields(body: object) -> tuple[str | None, str | None]:
    """Return code and message of a parsed error body, each None if it is missing.

    Reads `{"error": {"message", "code"}}`, `{"error": "..."}` and `{"message": "..."}`; accepts anything else.
    """
    if not isinstance(body, dict):
        return None, None
    error = body.get("error", body)
    if isinstance(error, str):
        return None, error
    if not isinstance(error, dict):
        return None, None
    code, message = error.get("code"), error.get("message")
    return code if isinstance(code, str) else None, message if isinstance(message, str) else None


def _quotable(message: str, secret: str, sent: str) -> str:
    # Only printable characters, because the detail is stored as JSONB and logged. They go first: one that can't be seen
    # would hide a key from what looks for it.
    plain = "".join(char for char in " ".join(message.split()) if char.isprintable())
    text = _KEY_OR_PICTURE.sub(_MASK, plain.replace(secret, _MASK) if secret else plain)
    if repeats_key(text, secret):
        return ""
    said = text if len(text) <= MAX_MESSAGE_CHARS else text[: MAX_MESSAGE_CHARS - 1] + "…"
    sent_text = " ".join(sent.split())
    permits = (said[i : i + QUOTED_CHARS] for i in range(len(said) - QUOTED_CHARS + 1))
    return "" if any(permit in sent_text for permit in permits) else said


def with_operator_hint(error: ProviderError, job: Job, model: str, provider: Provider) -> ProviderError:
    """Return an error that only the operator can solve with a hint in its detail, and log it; return others unchanged.

    `provider`: the one that serves the model, also if the simulator replaces it.
    """
    advice = _advice(error, job, model, provider)
    if advice is None:
        return error
    logger.error("Provider needs the operator", extra={"code": error.code, "model": model, "advice": advice})
    said = type(error)(f"{error.detail.rstrip('.')}. {advice}", retry_after=error.retry_after)
    said.usage = error.usage
    return said


def _advice(error: ProviderError, job: Job, model: str, provider: Provider) -> str | None:
    vendor, key = provider.title, provider.key_name
    if isinstance(error, ProviderUnauthorized):
        return f"The operator has to check {key}: whether it is valid, and what it may be used for."
    if isinstance(error, ProviderPaymentRequired):
        return f"The operator has to top up the account at {vendor}."
    if isinstance(error, ModelNotAvailable) and job.task_type == CHAT_COMPLETION.name:
        return f"The operator has to take {model} off the models of this installation: {vendor} does not serve it."
    if isinstance(error, ModelNotAvailable):
        variable = f"{job.task_type.upper()}_{'MODEL' if model == job.model else 'FALLBACK_MODEL'}"
        return f"The operator has to set {variable} to a model that {vendor} serves to this account; {model} is none."
    return None
