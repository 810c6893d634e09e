"""Our error for each error that the groq SDK raises."""

from datetime import UTC, datetime

import groq
import httpx

from shared.jobs.errors import BadAnswer, ProviderError, ProviderTimeout, ProviderUnavailable
from workers.providers.errors import VendorError, error_fields
from workers.providers.headers import pause_seconds, seconds_to_wait

VENDOR = "Groq"


def provider_error(
    err: groq.GroqError | httpx.HTTPError, *, secret: str, sent: str, vendor: str = VENDOR
) -> ProviderError:
    """Return our error for the SDK's, or for its client's, which a stream raises as it is.

    Its detail contains neither `secret` nor a passage of `sent`.
    """
    if isinstance(err, groq.APIStatusError):
        return _refusal(err, vendor).error(secret=secret, sent=sent)
    if isinstance(err, groq.APIResponseValidationError):
        return BadAnswer()
    if isinstance(err, groq.APITimeoutError | httpx.TimeoutException):
        return ProviderTimeout(f"{vendor} did not answer in time.")
    return ProviderUnavailable(f"{vendor} can't be reached or broke off its answer.")


def _refusal(err: groq.APIStatusError, vendor: str) -> VendorError:
    code, message = error_fields(err.body)
    wait = seconds_to_wait(err.response.headers, datetime.now(UTC))
    return VendorError(
        vendor=vendor,
        status=err.status_code,
        code=code,
        message=message,
        retry_after=pause_seconds(err.response.headers) if wait is None else wait,
    )
