"""A plain recount of `requests` and `provider_calls`: every figure of the statistics, counted row by row."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from api.statistics.periods import Period
from api.statistics.report import OUTCOMES, TIERS, TOKENS
from shared.db.engine import Database
from shared.times import rfc3339
from tests.integration.asking import rows

BY_ITSELF = ("latency_ms", "latency_ms_by_outcome")
"""Estimates, which have tests of their own."""


def recount(database: Database, period: Period, task_type: str | None) -> dict[str, Any]:
    """Return totals as the statistics should have them."""
    return _figures(*_read(database, period, task_type))


def recount_series(database: Database, period: Period, task_type: str | None) -> list[dict[str, Any]]:
    """Return the series as the statistics should have it."""
    asked, calls = _read(database, period, task_type)
    starts = {_start(each.at, period) for each in asked} | {_start(each.ended_at, period) for each in calls}
    return [
        {
            "start": rfc3339(start),
            **_figures(
                [each for each in asked if _start(each.at, period) == start],
                [each for each in calls if _start(each.ended_at, period) == start],
            ),
        }
        for start in sorted(starts)
    ]


def without_estimates(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in figures.items() if name not in BY_ITSELF}


def _read(database: Database, period: Period, task_type: str | None) -> tuple[list[Any], list[Any]]:
    asked = rows(database, "SELECT * FROM requests")
    calls = rows(database, "SELECT * FROM provider_calls WHERE ended_at IS NOT NULL")
    return (
        [each for each in asked if period.start <= each.at < period.end and task_type in {None, each.task_type}],
        [each for each in calls if period.start <= each.ended_at < period.end and task_type in {None, each.task_type}],
    )


def _start(moment: datetime, period: Period) -> datetime:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight if period.bucket == "day" else midnight.replace(hour=moment.hour)


def _figures(asked: list[Any], calls: list[Any]) -> dict[str, Any]:
    outcomes, errors = Counter[str](), Counter[str]()
    for each in asked:
        calls_of_row = (each.request or {}).get("calls", 1)
        outcomes[each.outcome] += calls_of_row
        if each.outcome == "error":
            errors[each.request["error"]] += calls_of_row
    answerable = outcomes.total() - outcomes["error"] - outcomes["bypass"]
    hits = [each for each in asked if each.outcome in TIERS]
    failures = [each for each in calls if each.error_code is not None]
    return {
        "requests": outcomes.total(),
        **{outcome: outcomes[outcome] for outcome in OUTCOMES},
        "hit_ratio": len(hits) / answerable if answerable else 0.0,
        "hit_ratio_by_tier": {tier: outcomes[tier] / answerable if answerable else 0.0 for tier in TIERS},
        "errors": dict(errors),
        "spent": {
            "provider_calls": len(calls),
            "provider_failures": len(failures),
            "failures": dict(Counter(each.error_code for each in failures)),
            **{name: sum(getattr(each, name) or 0 for each in calls) for name in TOKENS},
            **_money([each.cost for each in calls]),
            "seconds": _seconds(_milliseconds(each.ended_at - each.started_at) for each in calls),
        },
        "saved": {
            "hits": len(hits),
            **{name: sum(getattr(each, f"saved_{name}") or 0 for each in hits) for name in TOKENS},
            **_money([each.saved_cost for each in hits]),
            "seconds": _seconds(each.saved_ms or 0 for each in hits),
        },
    }


def _money(costs: list[Decimal | None]) -> dict[str, Any]:
    known = [cost for cost in costs if cost is not None]
    return {
        "cost_usd": None if costs and not known else float(sum(known)),
        "unpriced": len(costs) - len(known),
    }


def _seconds(milliseconds: Iterable[int]) -> float:
    return sum(milliseconds) / 1000


def _milliseconds(time: timedelta) -> int:
    return (time // timedelta(microseconds=1) + 500) // 1000
