"""The error tree. Errors know nothing of HTTP: `api/problems.py` maps them to statuses.

AskOnceError
├── ConfigurationError              a setting is wrong; the process must not start
├── RequestError                    the caller can mend it
│   ├── MalformedRequest
│   ├── InvalidRequest              names each wrong field
│   ├── RequestTooLarge
│   ├── MediaTypeNotSupported
│   ├── NotFound
│   ├── JobAlreadyEnded
│   └── NotCached
├── Unavailable                     we can't serve it now; try again later
│   ├── ServerDown                  a cache server or the broker
│   ├── DatabaseUnavailable
│   ├── TierUnavailable
│   └── ProviderNotConfigured
├── JobError                        ends, or delays, a job
│   ├── ProviderError               what a call to a provider came to
│   └── PictureError                what fetching or decoding a picture came to
└── ContentBusy                     another job is paying for the same picture
"""

from dataclasses import dataclass
from typing import ClassVar

from shared.answer import Usage


class AskOnceError(Exception):
    """Base of every error we raise; the docstring of a class is its default message."""

    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"
    retryable: ClassVar[bool] = False

    def __init__(self, detail: str | None = None) -> None:
        """Keep `detail`, a sentence for the caller that says what to do next."""
        self.detail = detail or (type(self).__doc__ or self.title).partition("\n")[0]
        super().__init__(self.detail)


class ConfigurationError(AskOnceError):
    """A setting has a wrong value."""

    code = "configuration_error"
    title = "Wrong setting"


class RequestError(AskOnceError):
    """The request can't be served as it stands."""


class MalformedRequest(RequestError):
    """The body is not what its media type says."""

    code = "malformed_request"
    title = "Malformed request"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: an RFC 6901 pointer into the body, and what is wrong with it."""

    pointer: str
    detail: str


class InvalidRequest(RequestError):
    """One or more fields are wrong."""

    code = "invalid_request"
    title = "Invalid request"

    def __init__(self, errors: list[FieldError]) -> None:
        """Take at least one field error."""
        self.errors = errors
        super().__init__("; ".join(f"{e.pointer or '/'}: {e.detail}" for e in errors))


class RequestTooLarge(RequestError):
    """The body or the picture is larger than this server accepts."""

    code = "request_too_large"
    title = "Request too large"


class MediaTypeNotSupported(RequestError):
    """Send application/json or multipart/form-data."""

    code = "media_type_not_supported"
    title = "Media type not supported"


class NotFound(RequestError):
    """There is nothing here."""

    code = "not_found"
    title = "Not found"


class JobAlreadyEnded(RequestError):
    """The job has ended already and can't be cancelled."""

    code = "job_already_ended"
    title = "Job already ended"


class NotCached(RequestError):
    """No tier holds the answer and the request said only-if-cached."""

    code = "not_cached"
    title = "Not cached"


class Unavailable(AskOnceError):
    """The service can't do this now."""

    code = "unavailable"
    title = "Unavailable"
    retryable = True


class ServerDown(Unavailable):
    """A server that we depend on does not answer."""

    code = "server_down"
    title = "Server down"


class DatabaseUnavailable(Unavailable):
    """PostgreSQL does not answer, so no new job can be accepted. Try again shortly."""

    code = "database_unavailable"
    title = "Database unavailable"


class TierUnavailable(Unavailable):
    """A cache tier does not answer, so it can't be purged. Try again shortly."""

    code = "tier_unavailable"
    title = "Cache tier unavailable"


class ProviderNotConfigured(Unavailable):
    """No provider is configured for this task. The operator has to set an API key."""

    code = "provider_not_configured"
    title = "Provider not configured"
    retryable = False


class JobError(AskOnceError):
    """The job can't complete now, or at all."""

    code = "job_failed"
    title = "Job failed"

    def __init__(self, detail: str | None = None, *, retry_after: float | None = None) -> None:
        """`retry_after`: seconds the other side asked us to wait, if it did."""
        self.retry_after = retry_after
        super().__init__(detail)


class DeadlineExceeded(JobError):
    """The job did not end before its deadline."""

    code = "deadline_exceeded"
    title = "Deadline exceeded"


class AttemptsExhausted(JobError):
    """Every attempt of this job lost its worker."""

    code = "attempts_exhausted"
    title = "Attempts exhausted"


class ProviderError(JobError):
    """A call to a provider failed.

    `usage` is what the provider counted all the same: an answer that is no good was paid too.
    """

    code = "provider_error"
    title = "Provider error"
    usage: Usage | None = None


class ProviderUnauthorized(ProviderError):
    """The provider refused the API key. The operator has to check GROQ_API_KEY or HF_API_KEY."""

    code = "provider_unauthorized"
    title = "Provider refused the API key"


class ProviderPaymentRequired(ProviderError):
    """The provider's credits are used up. The operator has to top up the account."""

    code = "provider_payment_required"
    title = "Provider wants payment"


class ModelNotAvailable(ProviderError):
    """The provider does not serve this model any more. The operator has to set another one."""

    code = "model_not_available"
    title = "Model not available"


class ProviderRejected(ProviderError):
    """The provider refused the request itself."""

    code = "provider_rejected"
    title = "Provider refused the request"


class ProviderRateLimited(ProviderError):
    """The provider's rate limit is reached."""

    code = "rate_limited"
    title = "Rate limited by the provider"
    retryable = True


class ProviderUnavailable(ProviderError):
    """The provider can't be reached or answers with an error."""

    code = "provider_unavailable"
    title = "Provider unavailable"
    retryable = True


class ProviderTimeout(ProviderError):
    """The provider did not answer in time."""

    code = "provider_timeout"
    title = "Provider timeout"
    retryable = True


class BadAnswer(ProviderError):
    """The provider's answer was empty, truncated or misshapen."""

    code = "bad_answer"
    title = "Bad answer"
    retryable = True


class PictureError(JobError):
    """The picture can't be used."""


class ImageForbidden(PictureError):
    """The picture's address is not a public one."""

    code = "image_forbidden"
    title = "Picture address forbidden"


class ImageUnreachable(PictureError):
    """The picture can't be downloaded."""

    code = "image_unreachable"
    title = "Picture unreachable"


class ImageTooLarge(PictureError):
    """The picture has too many bytes or pixels."""

    code = "image_too_large"
    title = "Picture too large"


class ImageUnsupported(PictureError):
    """The picture is not a readable PNG, JPEG, WebP or GIF."""

    code = "image_unsupported"
    title = "Picture unsupported"


class ContentBusy(AskOnceError):
    """Another job is asking the provider about the same picture at this moment."""

    code = "content_busy"
    title = "Content busy"
    retryable = True
