"""Schemas of limits (marshmallow)."""

from typing import Any

from marshmallow import Schema, fields

from api.schemas.numbers import JsonNumber
from shared.domain.limits import BUDGET_NAMES, DOLLAR_LIMITS, JOB_LIMITS, MOST
from shared.domain.options import Integer, Number

ABOUT = {
    "requests_per_minute": "Calls of predict, hits included.",
    "jobs_in_flight": "Jobs that have not ended, and cancelled ones whose call to a provider still runs.",
    "queued_jobs": "Jobs that wait for a worker.",
    "tokens_per_day": "Of calls to providers; a day begins at midnight in UTC.",
    "tokens_per_month": "Of calls to providers.",
    "dollars_per_day": "US dollars, of calls to providers.",
    "dollars_per_month": "US dollars, of calls to providers.",
}
DOLLARS_RULE = f"must be a number from 0 to {MOST}, or null"
NUMBER_RULE = f"must be a whole number from 0 to {MOST}, or null"


def _limit(name: str, **kwargs: Any) -> JsonNumber:  # noqa: ANN401  marshmallow's own keywords
    dollars = name in DOLLAR_LIMITS
    kind, rule = (Number(0, MOST), DOLLARS_RULE) if dollars else (Integer(0, MOST), NUMBER_RULE)
    return JsonNumber(kind, rule, ABOUT[name], allow_none=True, **kwargs)


LimitChanges = Schema.from_dict({name: _limit(name) for name in ABOUT}, name="LimitChanges")
LimitChanges.error_messages = {"type": "must be an object"}
"""Limits to set; null removes one, and one that is left out stays."""

Limits = Schema.from_dict({name: _limit(name, required=True) for name in ABOUT}, name="Limits")
"""All limits; null where there is none."""


def limit_changes(**kwargs: Any) -> fields.Nested:  # noqa: ANN401  marshmallow's own keywords
    """Return a field that takes limits to set."""
    said: dict[str, str | list[Any] | dict[Any, Any]] = {"null": "must be an object"}
    return fields.Nested(LimitChanges(), error_messages=said, **kwargs)


class BudgetUsage(Schema):
    """What is used of a budget. It is counted for those who have one."""

    spent = fields.Float(required=True)
    reserved = fields.Float(required=True, metadata={"description": "For jobs and calls that have not ended."})
    remaining = fields.Float(required=True, allow_none=True, metadata={"description": "Null without a limit."})
    resets_at = fields.AwareDateTime(required=True)


LimitUsage = Schema.from_dict(
    {
        **{name: fields.Integer(required=True, metadata={"description": ABOUT[name]}) for name in JOB_LIMITS},
        **{name: fields.Nested(BudgetUsage(), required=True) for name in BUDGET_NAMES},
    },
    name="LimitUsage",
)
"""What is used of each limit, but for requests: headers of predict tell. Of budgets in the day and month that run."""


class TenantLimits(Schema):
    """A tenant, what all its keys may use up together, and what they have."""

    tenant = fields.String(required=True)
    limits = fields.Nested(Limits(), required=True)
    usage = fields.Nested(LimitUsage(), required=True)


class TenantLimitsList(Schema):
    """The tenants that have limits."""

    tenants = fields.List(fields.Nested(TenantLimits()), required=True)


class KeyLimits(Schema):
    """A key, what it may use up, and what it has."""

    id = fields.String(required=True)
    limits = fields.Nested(Limits(), required=True)
    usage = fields.Nested(LimitUsage(), required=True)


class OwnLimits(Schema):
    """The limits of whoever asks. `key` is null where no keys are asked for."""

    key = fields.Nested(KeyLimits(), required=True, allow_none=True)
    tenant = fields.Nested(TenantLimits(), required=True)


class TenantChanges(Schema):
    """What is to change about a tenant."""

    limits = limit_changes(load_default=dict)
