"""From rows of sums to the figures of a report."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from shared.sums import LATENCY_BOUNDS_MS
from shared.times import rfc3339

OUTCOMES = ("memcached", "redis", "joined", "bypass", "miss", "error")
TIERS = ("memcached", "redis")
TOKENS = ("prompt_tokens", "completion_tokens", "total_tokens")
PERCENTS = (50, 95, 99)


def report(counts: Sequence[Any], histograms: Sequence[Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return totals and series.

    `counts` has a row for each bucket, outcome and code; `histograms` one for each bucket (outcome null) and one for
    each outcome (bucket null).
    """
    by_outcome = {row.outcome: row.histogram for row in histograms if row.outcome is not None}
    by_bucket = {row.bucket: row.histogram for row in histograms if row.outcome is None}
    totals = {
        **_figures(counts),
        "latency_ms": _percentiles(_sum(by_outcome.values())),
        "latency_ms_by_outcome": {outcome: _percentiles(by_outcome.get(outcome, ())) for outcome in OUTCOMES},
    }
    rows_of = defaultdict[datetime, list[Any]](list)
    for row in counts:
        rows_of[row.bucket].append(row)
    series = [
        {"start": rfc3339(bucket), **_figures(rows), "latency_ms": _percentiles(by_bucket.get(bucket, ()))}
        for bucket, rows in sorted(rows_of.items())
    ]
    return totals, series


def percentile(histogram: Sequence[int], share: float) -> float | None:
    """Estimate, by linear interpolation within its bucket, the latency below which `share` of the requests were.

    None when there were none; what is above the last bound counts as the last bound.
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


def _figures(rows: Sequence[Any]) -> dict[str, Any]:
    requests = [row for row in rows if row.outcome in OUTCOMES]
    calls = [row for row in rows if row.outcome == "provider_call"]
    hits = [row for row in requests if row.outcome in TIERS]
    by_outcome = {name: _total(requests, "requests", name) for name in OUTCOMES}
    total = sum(by_outcome.values())
    answerable = total - by_outcome["error"] - by_outcome["bypass"]
    return {
        "requests": total,
        **by_outcome,
        "hit_ratio": _ratio(_total(hits, "requests"), answerable),
        "hit_ratio_by_tier": {tier: _ratio(by_outcome[tier], answerable) for tier in TIERS},
        "errors": _by_code([row for row in requests if row.outcome == "error"], "requests"),
        "spent": {
            "provider_calls": _total(calls, "provider_calls"),
            "provider_failures": _total([row for row in calls if row.code], "provider_calls"),
            "failures": _by_code([row for row in calls if row.code], "provider_calls"),
            **_worth(calls, "provider_calls"),
        },
        "saved": {"hits": _total(hits, "requests"), **_worth(hits, "requests")},
    }


def _worth(rows: Sequence[Any], counted: str) -> dict[str, Any]:
    """Return tokens, money and time. Money is null when nothing has a known price, and 0 when there is nothing."""
    unpriced = _total(rows, "unpriced")
    known = not unpriced or unpriced < _total(rows, counted)
    return {
        **{name: _total(rows, name) for name in TOKENS},
        "cost_usd": float(sum(row.cost for row in rows)) if known else None,
        "unpriced": unpriced,
        "seconds": _total(rows, "duration_ms") / 1000,
    }


def _total(rows: Iterable[Any], column: str, outcome: str | None = None) -> int:
    return sum(int(getattr(row, column)) for row in rows if outcome in {None, row.outcome})


def _by_code(rows: Iterable[Any], column: str) -> dict[str, int]:
    codes = Counter[str]()
    for row in rows:
        codes[row.code] += int(getattr(row, column))
    return dict(codes)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _sum(histograms: Iterable[Sequence[int]]) -> list[int]:
    return [sum(column) for column in zip(*histograms, strict=True)]


def _percentiles(histogram: Sequence[int]) -> dict[str, float | None]:
    return {f"p{percent}": percentile(histogram, percent / 100) for percent in PERCENTS}
