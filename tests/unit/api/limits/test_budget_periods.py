from datetime import UTC, datetime

import pytest

from api.limits.periods import period_ends


@pytest.mark.parametrize(
    ("period", "moment", "ends"),
    [
        ("day", datetime(2026, 11, 27, 23, 59, 59, tzinfo=UTC), datetime(2026, 11, 28, tzinfo=UTC)),
        ("month", datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)),
        ("month", datetime(2026, 12, 31, 12, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
        ("month", datetime(2028, 2, 29, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC)),
    ],
)
def test_days_and_months_end_at_midnight(period: str, moment: datetime, ends: datetime) -> None:
    assert period_ends(period, moment) == ends
