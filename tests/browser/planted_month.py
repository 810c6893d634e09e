"""A month of figures for screenshots: what a busy installation has in its aggregates."""

import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.request_log.aggregates import COUNTERS, LATENCY_BOUNDS_MS

HOURS = 30 * 24
HITS = ("memcached", "redis")
SHARES = {"memcached": 0.47, "redis": 0.17, "joined": 0.05, "bypass": 0.03, "miss": 0.27, "error": 0.01}
MIDDLE_MS = {"memcached": 0.9, "redis": 1.9, "joined": 420.0, "bypass": 880.0, "miss": 760.0, "error": 2.4}
TOKENS = 640
DOLLARS_PER_TOKEN = 0.00000024
JOB_MS = 1450


def planted_rows(now: datetime, seed: int = 7) -> list[dict[str, Any]]:
    """Return rows of `hourly_statistics` for the 30 days before `now`, the same for the same moment."""
    chance = random.Random(seed)
    this_hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return [row for back in range(HOURS) for row in _hour(this_hour - timedelta(hours=back), back, chance)]


def _hour(hour: datetime, back: int, chance: random.Random) -> Iterator[dict[str, Any]]:
    day = 0.55 + 0.45 * math.sin((hour.hour - 8) / 24 * 2 * math.pi)
    asked = int(1900 * day * (1 - back / HOURS / 3) * chance.uniform(0.85, 1.15))
    learned = 1.08 - 0.35 * back / HOURS
    for outcome, share in SHARES.items():
        growth = learned if outcome in HITS else 1.0
        count = int(asked * share * growth * chance.uniform(0.9, 1.1))
        hits = count if outcome in HITS else 0
        yield _row(hour, outcome, requests=count, worth=hits)
        if outcome == "miss":
            yield _row(hour, "provider_call", provider_calls=count, worth=count)


def _row(hour: datetime, outcome: str, *, worth: int, requests: int = 0, provider_calls: int = 0) -> dict[str, Any]:
    figures = dict.fromkeys(COUNTERS, 0) | {
        "requests": requests,
        "provider_calls": provider_calls,
        "prompt_tokens": worth * (TOKENS - 180),
        "completion_tokens": worth * 180,
        "total_tokens": worth * TOKENS,
        "cost": worth * TOKENS * DOLLARS_PER_TOKEN,
        "duration_ms": worth * JOB_MS,
    }
    histogram = _histogram(outcome, requests) if requests else None
    code = "quota_exceeded" if outcome == "error" else ""
    names = {"hour": hour, "tenant": "default", "task_type": "summarization", "outcome": outcome, "code": code}
    return {**names, **figures, "latency_histogram": histogram}


def _histogram(outcome: str, requests: int) -> list[int]:
    """Spread the calls around a latency, as a logarithmic bell."""
    bounds = [LATENCY_BOUNDS_MS[0] / 2, *LATENCY_BOUNDS_MS]
    weights = [math.exp(-((math.log(bound / MIDDLE_MS[outcome]) / 0.75) ** 2)) for bound in bounds]
    return [round(requests * weight / sum(weights)) for weight in weights]
