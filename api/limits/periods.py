"""Days and months of budgets: both begin at midnight in UTC."""

import math
from datetime import datetime, timedelta

from shared.times import now


def period_ends(period: str, moment: datetime) -> datetime:
    """Return when the `day` or the `month` of a moment ends."""
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if period == "day":
        return midnight + timedelta(days=1)
    # Five days after the 28th is always in the next month.
    return (midnight.replace(day=28) + timedelta(days=5)).replace(day=1)


def seconds_left(period: str) -> int:
    """Return in how many seconds the `day` or the `month` ends; at least 1."""
    moment = now()
    return max(1, math.ceil((period_ends(period, moment) - moment).total_seconds()))
