"""Turns rows of aggregates into the figures of a report."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from shared.request_log.aggregates import LATENCY_BOUNDS_MS
from shared.times import rfc3339

OUTCOMES = ("memcached", "redis", "joined", "bypass", "miss", "error")
TIERS = ("memcached", "redis")
TOKENS = ("prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens")
PROVIDER_CALL = "provider_call"
PERCENTS = (50, 95, 99)


def report(rows: Sequence[Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return totals and series of aggregates, which have one row for each bucket, outcome and code."""
    by_outcome = defaultdict[str, list[Any]](list)
    by_bucket = defaultdict[datetime, list[Any]](list)
    for row in rows:
        by_bucket[row.bucket].append(row)
        by_outcome[row.outcome].append(row)
    totals = {
        **_figures(rows),
        "latency_ms_by_outcome": {outcome: _latencies(by_outcome[outcome]) for outcome in OUTCOMES},
    }
    series = [{"start": rfc3339(bucket), **_figures(each)} for bucket, each in sorted(by_bucket.items())]
    return totals, series


def percentile(histogram: Sequence[int], share: float) -> float | None:
    """Return the estimated latency in ms below which this share of the requests was, interpolated within its bucket.

    None when there were no requests. Latencies above the last bound count as the last bound.
    """
    rank = share * sum(histogram)
    if not rank:
        return None
    below = 0
    for index, count in enumerate(histogram):
        if count and below + count >= rank:
            lower = LATENCY_BOUNDS_MS[index - 1] if index else 0.0
            upper = LATENCY_BOUNDS_MS[min(index, len(LATENCY_BOUNDS_MS) - 1)]
            return round(lower + (upper - lower) * (rank - below) / count, 3)
        below += count
    return LATENCY_BOUNDS_MS[-1]


@dataclass(slots=True)
class _Worth:
    """Tokens, money and time of a number of calls or hits. Money is null when none has a known price."""

    count: int = 0
    tokens: list[int] = field(default_factory=lambda: [0] * len(TOKENS))
    cost: Decimal = Decimal(0)
    unpriced: int = 0
    milliseconds: int = 0

    def add(self, row: Any, count: int) -> None:  # noqa: ANN401  a row of any statement with these columns
        self.count += count
        for index, name in enumerate(TOKENS):
            self.tokens[index] += int(getattr(row, name))
        self.cost += row.cost
        self.unpriced += int(row.unpriced)
        self.milliseconds += int(row.duration_ms)

    def figures(self) -> dict[str, Any]:
        known = not self.unpriced or self.unpriced < self.count
        return {
            **dict(zip(TOKENS, self.tokens, strict=True)),
            "cost_usd": float(self.cost) if known else None,
            "unpriced": self.unpriced,
            "seconds": self.milliseconds / 1000,
        }


def _figures(rows: Sequence[Any]) -> dict[str, Any]:
    by_outcome = dict.fromkeys(OUTCOMES, 0)
    errors, failures = Counter[str](), Counter[str]()
    spent, saved = _Worth(), _Worth()
    for row in rows:
        if row.outcome == PROVIDER_CALL:
            calls = int(row.provider_calls)
            spent.add(row, calls)
            if row.code:
                failures[row.code] += calls
            continue
        requests = int(row.requests)
        by_outcome[row.outcome] += requests
        if row.outcome in TIERS:
            saved.add(row, requests)
        elif row.code:
            errors[row.code] += requests
    total = sum(by_outcome.values())
    answerable = total - by_outcome["error"] - by_outcome["bypass"]
    return {
        "requests": total,
        **by_outcome,
        "hit_ratio": _ratio(saved.count, answerable),
        "hit_ratio_by_tier": {tier: _ratio(by_outcome[tier], answerable) for tier in TIERS},
        "errors": dict(errors),
        "spent": {
            "provider_calls": spent.count,
            "provider_failures": failures.total(),
            "failures": dict(failures),
            **spent.figures(),
        },
        "saved": {"hits": saved.count, **saved.figures()},
        "latency_ms": _latencies([row for row in rows if row.outcome != PROVIDER_CALL]),
    }


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _latencies(rows: Sequence[Any]) -> dict[str, float | None]:
    histogram = [sum(column) for column in zip(*(row.histogram for row in rows), strict=True)]
    return {f"p{percent}": percentile(histogram, percent / 100) for percent in PERCENTS}
