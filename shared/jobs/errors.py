"""The errors of jobs. A job with a retryable error may be tried again.

JobError
├── DeadlineExceeded, AttemptsExhausted, JobBudgetExhausted
├── InternalError                   (retryable)
├── ProviderError                   a call to a provider failed
│   ├── ProviderUnauthorized, ProviderPaymentRequired, ModelNotAvailable, ProviderRejected
│   └── ProviderRateLimited, ProviderUnavailable, ProviderTimeout, BadAnswer, BreakerOpen   (retryable)
└── PictureError                    a picture can't be fetched or decoded
    └── ImageForbidden, ImageUnreachable, ImageTooLarge, ImageUnsupported
"""

from shared.domain.answer import Usage
from shared.errors import AskOnceError


class JobError(AskOnceError):
    """The job can't complete now, or at all."""

    code = "job_failed"
    title = "Job failed"

    def __init__(self, detail: str | None = None, *, retry_after: float | None = None) -> None:
        """`retry_after`: how many seconds the other side asked us to wait, None if it did not say."""
        self.retry_after = retry_after
        super().__init__(detail)

    @property
    def is_wait(self) -> bool:
        """Whether the job only has to wait. Then the attempt is not counted."""
        return False


class DeadlineExceeded(JobError):
    """The job did not end before its deadline."""

    code = "deadline_exceeded"
    title = "Deadline exceeded"
    remedy = "Send the request again: a new job has a deadline of its own."


class AttemptsExhausted(JobError):
    """Every attempt of this job lost its worker."""

    code = "attempts_exhausted"
    title = "Attempts exhausted"
    remedy = "Send the request again: a new job begins with its first attempt."


class JobBudgetExhausted(JobError):
    """An earlier call of this job has used up what was reserved for it, and the budget has no room for one more."""

    code = "budget_exhausted"
    title = "Budget exhausted"
    remedy = "Send the request again when the budget begins anew, or ask an admin to raise it."


class InternalError(JobError):
    """Something went wrong that nobody has foreseen. The worker's log says what."""

    code = "internal_error"
    title = "Internal error"
    retryable = True
    remedy = "Send the request again; if it fails again, tell the operator the id of the job."


class ProviderError(JobError):
    """A call to a provider failed.

    `usage`: the tokens that the provider counted, None if it did not: an unusable answer costs money too.
    """

    code = "provider_error"
    title = "Provider error"
    usage: Usage | None = None


class ProviderUnauthorized(ProviderError):
    """The provider refused the API key. The operator has to check it."""

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
    remedy = "Change what it refuses, or name another model."


class ProviderRateLimited(ProviderError):
    """The provider's rate limit is reached."""

    code = "rate_limited"
    title = "Rate limited by the provider"
    retryable = True
    remedy = "Send the request again in a minute."

    @property
    def is_wait(self) -> bool:
        """Whether the job only has to wait: if the provider said for how long."""
        return bool(self.retry_after)


class ProviderUnavailable(ProviderError):
    """The provider can't be reached or answers with an error."""

    code = "provider_unavailable"
    title = "Provider unavailable"
    retryable = True
    remedy = "Send the request again in a minute, or name another model."


class ProviderTimeout(ProviderError):
    """The provider did not answer in time."""

    code = "provider_timeout"
    title = "Provider timeout"
    retryable = True
    remedy = "Send the request again, or one that needs a shorter answer."


class BadAnswer(ProviderError):
    """The provider's answer was empty, truncated or misshapen."""

    code = "bad_answer"
    title = "Bad answer"
    retryable = True
    remedy = "Send the request again, or name another model."


class BreakerOpen(ProviderError):
    """The provider fails again and again, so it is left alone for a while."""

    code = "breaker_open"
    title = "Provider out of order"
    retryable = True
    remedy = "Send the request again in a few minutes, or name a model of another provider."

    @property
    def is_wait(self) -> bool:
        """Whether the job only has to wait: always."""
        return True


class PictureError(JobError):
    """The picture can't be used."""


class ImageForbidden(PictureError):
    """The picture's address is not a public one."""

    code = "image_forbidden"
    title = "Picture address forbidden"
    remedy = "Give an address that everybody can reach, or upload the picture."


class ImageUnreachable(PictureError):
    """The picture can't be downloaded."""

    code = "image_unreachable"
    title = "Picture unreachable"
    remedy = "Check that its address works without a login, or upload the picture."


class ImageTooLarge(PictureError):
    """The picture has too many bytes or pixels."""

    code = "image_too_large"
    title = "Picture too large"
    remedy = "Send a smaller one."


class ImageUnsupported(PictureError):
    """The picture is not a readable PNG, JPEG, WebP or GIF."""

    code = "image_unsupported"
    title = "Picture unsupported"
    remedy = "Send a whole PNG, JPEG, WebP or GIF."


class ContentLocked(AskOnceError):
    """Another job is asking the provider about the same picture at this moment."""

    code = "content_locked"
    title = "Content locked"
    retryable = True
