"""Turns rows of drift into the figures of the audit of hits."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from shared.domain.drift import COMPARED, NOT_COMPARED, STILL_GOOD, Verdict, end_of


def report_drift(rows: Sequence[Any]) -> dict[str, Any]:
    """Return the figures of rows of `task_type`, `age`, `verdict`, `audits` and `dollars`."""
    by_age = defaultdict[tuple[str, int], Counter[str]](Counter)
    verdicts = Counter[str]()
    for row in rows:
        verdicts[row.verdict] += row.audits
        if row.verdict in COMPARED:
            by_age[row.task_type, row.age][row.verdict] += row.audits
    return {
        **_figures(verdicts),
        "not_compared": {verdict: verdicts[verdict] for verdict in NOT_COMPARED},
        "cost_usd": float(sum((row.dollars for row in rows), Decimal(0))),
        "by_age": [
            {"task_type": task_type, "from_seconds": age, "to_seconds": end_of(age), **_figures(found)}
            for (task_type, age), found in sorted(by_age.items())
        ],
    }


def _figures(verdicts: Counter[str]) -> dict[str, Any]:
    """Return how many were compared, and of those with a verdict the share that is still good; None of none."""
    good = sum(verdicts[verdict] for verdict in STILL_GOOD)
    judged = good + verdicts[Verdict.DIFFERENT]
    return {
        "compared": judged + verdicts[Verdict.UNKNOWN],
        "equivalent_share": good / judged if judged else None,
        "verdicts": {verdict: verdicts[verdict] for verdict in COMPARED},
    }
