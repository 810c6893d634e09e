"""Whether the limits of their keys and tenants allow new jobs. Decided in the transaction that inserts the jobs."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Connection, text

from api.jobs.insertion import NewJob
from api.limits.errors import BudgetExhausted, LimitReached, QuotaExceeded
from api.limits.live_jobs import live_jobs
from api.limits.periods import seconds_left
from shared.domain.estimates import Estimate, estimate, most_usage
from shared.domain.limits import UNITS, Limits
from shared.domain.prices import Prices
from shared.domain.request import Client, Request
from shared.errors import FieldError, InvalidRequest
from shared.jobs.ledger import OF_ALL_KEYS, Account, Balance, Wanted, reserve

JOBS_RETRY_SECONDS = 1
RESERVED_RETRY_SECONDS = 5
ASK_FOR_LESS = "Ask for less, or ask an admin to raise the budget."
HITS_ONLY = "Ask an admin to raise it, or wait until a tier has the answer: hits cost nothing."
"""What helps where a budget never has room for a call, and where it is none."""

# Whoever counts waits for those who have counted and not committed yet. All in one order, or they would wait for each
# other; and after the inserts, as all who lock budgets do.
_LOCK = text("""
    SELECT pg_advisory_xact_lock(hashtextextended('askonce jobs of ' || owner, 0))
    FROM unnest(CAST(:owners AS text[])) AS owner
""")
_Owner = tuple[str, str]
"""A tenant and a key of it, or OF_ALL_KEYS."""


def estimate_of(request: Request, prices: Prices) -> Estimate | None:
    """Return what a request's call may cost at most; None where no budget asks.

    Raises InvalidRequest for a model whose price is not known, if the client's dollars are limited.
    """
    client = request.client
    if not client.is_budgeted:
        return None
    usage = most_usage(request.offer.task_type, request.options, request.input)
    found = estimate(usage, prices, request.routes)
    if found.dollars is None and (client.limits.limits_dollars or client.tenant_limits.limits_dollars):
        message = "has no known price, and the dollars of this key are limited: the operator can set MODEL_PRICES"
        raise InvalidRequest([FieldError("/model", message)])
    return found


def refused(
    connection: Connection, made: Mapping[NewJob, UUID]
) -> tuple[Mapping[NewJob, LimitReached], Mapping[Account, Balance]]:
    """Reserve what these jobs need, which the transaction has inserted just now; return those that limits forbid.

    If there are any, the caller rolls back. Also returns what is spent and reserved of the budgets then.
    """
    limited = [new for new in made if new.request.client.limits_jobs]
    budgeted = [new for new in made if new.estimate is not None]
    found: dict[NewJob, LimitReached] = {}
    balances: Mapping[Account, Balance] = {}
    if limited:
        found |= _over_counts(connection, limited)
    if budgeted:
        wanted = {new: _wanted(new, made[new], new.estimate) for new in budgeted if new.estimate is not None}
        balances = reserve(connection, list(wanted.values()))
        found |= _over_budgets(wanted, balances)
    return found, balances


def _over_counts(connection: Connection, made: Sequence[NewJob]) -> dict[NewJob, LimitReached]:
    """Return the jobs for which there is no room among the live ones of their key or tenant."""
    by_owner: dict[_Owner, list[NewJob]] = defaultdict(list)
    for new in made:
        for owner, limits in _owners(new.request.client):
            if limits.limits_jobs:
                by_owner[owner].append(new)
    connection.execute(_LOCK, {"owners": sorted("/".join(owner) for owner in by_owner)})
    found: dict[NewJob, LimitReached] = {}
    for (tenant, key_id), jobs in by_owner.items():
        limits = dict(_owners(jobs[0].request.client))[tenant, key_id]
        for name, number in live_jobs(connection, tenant, key_id).items():
            limit = getattr(limits, name)
            too_many = 0 if limit is None else min(len(jobs), number - limit)
            for new in jobs[len(jobs) - too_many :] if too_many > 0 else ():
                found[new] = _too_many_jobs(name, limit, key_id)
    return found


def _over_budgets(wanted: Mapping[NewJob, Wanted], balances: Mapping[Account, Balance]) -> dict[NewJob, LimitReached]:
    """Return the jobs that don't fit into their budgets, each after those before it that do."""
    asked: dict[tuple[Account, str], int | Decimal] = defaultdict(int)
    for each in wanted.values():
        for account in each.accounts():
            for unit in UNITS:
                asked[account, unit] += _amount(each.estimate, unit)
    used = {(account, unit): getattr(balances[account], unit) - amount for (account, unit), amount in asked.items()}
    found: dict[NewJob, LimitReached] = {}
    for new, each in wanted.items():
        over = [
            (account, unit, limit)
            for account, limits in each.accounts().items()
            for unit in UNITS
            if (limit := limits.budget(unit, account.period)) is not None
            and used[account, unit] + _amount(each.estimate, unit) > limit
        ]
        if over:
            account, unit, limit = over[0]
            spent = getattr(balances[account], f"{unit}_spent")
            found[new] = _budget_exhausted(account, unit, limit, spent, _amount(each.estimate, unit))
            continue
        for account in each.accounts():
            for unit in UNITS:
                used[account, unit] += _amount(each.estimate, unit)
    return found


def _owners(client: Client) -> list[tuple[_Owner, Limits]]:
    return [((client.tenant, client.key_id or ""), client.limits), ((client.tenant, OF_ALL_KEYS), client.tenant_limits)]


def _wanted(new: NewJob, job_id: UUID, taken: Estimate) -> Wanted:
    client = new.request.client
    return Wanted(job_id, client.tenant, client.key_id or "", taken, client.limits, client.tenant_limits)


def _amount(taken: Estimate, unit: str) -> int | Decimal:
    return taken.tokens if unit == "tokens" else taken.dollars or Decimal(0)


def _too_many_jobs(name: str, limit: int, key_id: str) -> QuotaExceeded:
    what = "jobs in flight" if name == "jobs_in_flight" else "queued jobs"
    message = f"The limit of {limit:,} {what} of {_whose(key_id)} is reached. Send it again when some have ended."
    return QuotaExceeded(message, (_policy(name.replace("_", "-"), key_id),), JOBS_RETRY_SECONDS)


def _budget_exhausted(
    account: Account, unit: str, limit: int | Decimal, spent: int | Decimal, amount: int | Decimal
) -> BudgetExhausted:
    """Return the error that says when there may be room: when other jobs end, in the next period, or never."""
    policies = (_policy(f"{unit}-{account.period}", account.key_id),)
    budget = f"The budget of {_shown(limit, unit)} a {account.period} of {_whose(account.key_id)}"
    wait = seconds_left(account.period)
    if amount > limit:
        message = f"{budget} is less than what this call may cost: {_shown(amount, unit)}."
        message += f" {ASK_FOR_LESS if limit else HITS_ONLY}"
        return BudgetExhausted(message, policies, wait, retryable=False)
    if spent + amount <= limit:
        message = f"{budget} is reserved for jobs that have not ended. What they turn out not to need is free then:"
        message += f" send it again in {RESERVED_RETRY_SECONDS} s."
        return BudgetExhausted(message, policies, RESERVED_RETRY_SECONDS)
    hours, minutes = divmod(math.ceil(wait / 60), 60)
    message = (
        f"{budget} has {_shown(limit - spent, unit)} left, and this call may cost {_shown(amount, unit)}."
        f" It begins anew in {hours} h {minutes} min: send it again then, or ask an admin to raise it."
    )
    return BudgetExhausted(message, policies, wait)


def _shown(amount: int | Decimal, unit: str) -> str:
    return f"${amount:.6f}".rstrip("0").rstrip(".") if unit == "dollars" else f"{amount:,} tokens"


def _whose(key_id: str) -> str:
    return "this key" if key_id else "this tenant"


def _policy(name: str, key_id: str) -> str:
    return name if key_id else f"tenant-{name}"
