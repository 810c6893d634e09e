"""Why a client may not ask now, though it may ask again later."""

from api.limits.windows import Rate
from shared.errors import RequestError


class LimitReached(RequestError):
    """A limit of this key or its tenant is reached."""

    def __init__(
        self,
        detail: str,
        policies: tuple[str, ...],
        retry_after: int,
        rates: tuple[Rate, ...] = (),
        *,
        retryable: bool = True,
    ) -> None:
        """`policies`: the names of the limits. `retry_after`: seconds, after which it is worth another try.

        `rates`: how the client stands with its limits of requests, if these are the ones. `retryable`: False where the
        same call will never be within the limit.
        """
        super().__init__(detail)
        self.policies = policies
        self.retry_after = retry_after
        self.rates = rates
        self.worth_another_try = retryable


class QuotaExceeded(LimitReached):
    """The limit of requests, or of jobs, is reached."""

    code = "quota_exceeded"
    title = "Quota exceeded"


class BudgetExhausted(LimitReached):
    """The budget of tokens or dollars is used up, or reserved for jobs that have not ended."""

    code = "budget_exhausted"
    title = "Budget exhausted"
