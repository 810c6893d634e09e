"""Errors of keys, limits and budgets."""

from api.access.errors import InsufficientScope, InvalidKey, KeyRevoked, NotAuthenticated
from api.limits.errors import BudgetExhausted, QuotaExceeded
from api.problem_types.problem_type import ProblemType, problem_type, reply_to, reply_to_failure
from shared.jobs.errors import JobBudgetExhausted

NO_KEY = problem_type(
    NotAuthenticated(),
    "This installation asks for API keys (`AUTH=on`), and the request has none.",
    "Send your key as `Authorization: Bearer ak_...` or `X-API-Key: ak_...`. An admin makes keys with `askonce keys "
    "create`.",
)
INVALID_KEY = problem_type(
    InvalidKey(),
    "The API key is unknown or mistyped, has expired, or was revoked.",
    "Check that the whole key is sent, without blanks or quotation marks. If it is, ask an admin for a new one.",
)
SCOPE = problem_type(
    InsufficientScope("The key 'shop' lacks the scope 'cache'. Use a key that has it, or ask an admin for one."),
    "The API key is valid, but may not do this: it lacks a scope, which `detail` names, or asks for another tenant.",
    "Use a key with that scope. An admin can change the scopes of a key: `PATCH /api/v1/keys/{id}`.",
)
REVOKED = problem_type(
    KeyRevoked(),
    "A revoked API key gets no new secret.",
    "Make a new key.",
)
QUOTA = problem_type(
    QuotaExceeded(
        "The limit of 2 requests per minute of this key is reached. Send it again in 41 s.", ("rpm",), retry_after=41
    ),
    "A limit of requests a minute, of jobs in flight or of queued jobs is reached: the key's own, or its tenant's. "
    "`violated-policies` names the limits. The type is the registered one of draft-ietf-httpapi-ratelimit-headers; "
    "the header `Link` leads to this paragraph.",
    "Wait for `Retry-After`, then send it again. `RateLimit` on each response of `predict` says how much is left. An "
    "admin can raise the limits.",
)
BUDGET = ProblemType(
    BudgetExhausted.code,
    "The budget of tokens or dollars of the key or its tenant has no room for what this call may cost: it is used up, "
    "or reserved for jobs that have not ended. A job ends with it if a failed call has used up what was reserved, and "
    "there is no room for another one.",
    "Ask for less (`max_tokens`, a shorter text), or wait for `Retry-After`: until jobs have ended, or the day or "
    "month begins anew. An admin can raise the budget. Hits cost nothing. Where `retryable` is false, the same call "
    "would never be within it.",
    (
        reply_to(
            BudgetExhausted(
                "The budget of $0 a day of this key is less than what this call may cost: $0.000734. Ask an admin to "
                "raise it, or wait until a tier has the answer: hits cost nothing.",
                ("dollars-day",),
                retry_after=51_480,
                retryable=False,
            )
        ),
        reply_to_failure(JobBudgetExhausted()),
    ),
)

OF_ACCESS = (NO_KEY, INVALID_KEY, SCOPE, REVOKED, QUOTA, BUDGET)
