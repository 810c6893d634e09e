"""What a client, or all clients of a tenant together, may use up."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from typing import Any

MOST = 10**15
"""The highest limit."""

UNITS = ("tokens", "dollars")
PERIODS = ("day", "month")
"""Of budgets. A period begins at midnight in UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of one key or one tenant; None where there is none.

    `requests_per_minute`: calls that ask, hits included. `jobs_in_flight`: jobs that have not ended, and cancelled
    ones whose call still runs. `queued_jobs`: jobs that wait for a worker. The others are budgets: what providers may
    cost in a day or a month.
    """

    requests_per_minute: int | None = None
    jobs_in_flight: int | None = None
    queued_jobs: int | None = None
    tokens_per_day: int | None = None
    tokens_per_month: int | None = None
    dollars_per_day: Decimal | None = None
    dollars_per_month: Decimal | None = None

    @property
    def limits_jobs(self) -> bool:
        """Whether there is a limit of jobs."""
        return self.jobs_in_flight is not None or self.queued_jobs is not None

    @property
    def limits_tokens(self) -> bool:
        """Whether there is a budget of tokens."""
        return self.tokens_per_day is not None or self.tokens_per_month is not None

    @property
    def limits_dollars(self) -> bool:
        """Whether there is a budget of dollars."""
        return self.dollars_per_day is not None or self.dollars_per_month is not None

    def budget(self, unit: str, period: str) -> int | Decimal | None:
        """Return a budget: of `tokens` or `dollars`, by the `day` or the `month`."""
        found: int | Decimal | None = getattr(self, f"{unit}_per_{period}")
        return found

    def document(self) -> dict[str, Any]:
        """Return every limit by its name, ready for JSON."""
        return {name: float(each) if isinstance(each, Decimal) else each for name, each in asdict(self).items()}


NO_LIMITS = Limits()

LIMIT_NAMES = tuple(field.name for field in fields(Limits))
JOB_LIMITS = ("jobs_in_flight", "queued_jobs")
BUDGET_NAMES = tuple(f"{unit}_per_{period}" for unit in UNITS for period in PERIODS)
DOLLAR_LIMITS = tuple(name for name in LIMIT_NAMES if name.startswith("dollars"))


def limits_from(document: Mapping[str, Any]) -> Limits:
    """Return the limits in a document that `document` has made, or one with fewer names."""
    given: dict[str, Any] = dict(document)
    for name in DOLLAR_LIMITS:
        if given.get(name) is not None:
            given[name] = Decimal(str(given[name]))
    return Limits(**given)
